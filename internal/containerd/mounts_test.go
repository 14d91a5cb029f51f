package containerd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mountinfo = `22 1 253:0 / / rw,relatime - ext4 /dev/root rw
30 22 0:25 / /run rw - tmpfs tmpfs rw
90 30 0:50 / /run/vmctl/lab/state/sandboxes/a/shm rw - tmpfs shm rw
91 30 0:4 net:[4026532300] /run/vmctl/lab/state/netns/cni-1 rw - nsfs nsfs rw
92 90 0:51 / /run/vmctl/lab/state/sandboxes/a/shm/over\040there\134x rw - tmpfs t rw
93 30 0:52 / /run/vmctl/lab-2/state/shm rw - tmpfs shm rw
94 30 0:53 / /run/vmctl/lab rw - tmpfs t rw
cut short
`

func TestMountsIn(t *testing.T) {
	tests := map[string]struct {
		dir  string
		want []string
	}{
		"last mounted first": {"/run/vmctl/lab", []string{
			"/run/vmctl/lab", `/run/vmctl/lab/state/sandboxes/a/shm/over there\x`,
			"/run/vmctl/lab/state/netns/cni-1", "/run/vmctl/lab/state/sandboxes/a/shm",
		}},
		"a name that begins alike": {"/run/vmctl/la", nil},
		"one":                      {"/run/vmctl/lab-2/state/shm", []string{"/run/vmctl/lab-2/state/shm"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := mountsIn(strings.NewReader(mountinfo), test.dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMountsInEndlessLine(t *testing.T) {
	if _, err := mountsIn(strings.NewReader(strings.Repeat("x", 2<<20)), "/"); err == nil {
		t.Error("no error: mounts would be taken for gone that are not")
	}
}

func TestUnmountBelowNothing(t *testing.T) {
	if err := unmountBelow(t.TempDir()); err != nil {
		t.Error(err)
	}
}
