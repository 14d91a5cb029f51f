package cri

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestSandboxImage(t *testing.T) {
	for name, test := range map[string]struct {
		info map[string]string
		want string
	}{
		"containerd 1":  {map[string]string{"config": `{"sandboxImage":"registry.k8s.io/pause:3.6","containerd":{}}`}, "registry.k8s.io/pause:3.6"},
		"CRI-O":         {map[string]string{"sandboxImage": "registry.k8s.io/pause:3.10", "crio": "{}"}, "registry.k8s.io/pause:3.10"},
		"as JSON":       {map[string]string{"sandboxImage": `"registry.k8s.io/pause:3.10"`}, "registry.k8s.io/pause:3.10"},
		"broken":        {map[string]string{"config": `{"sandboxImage":`}, ""},
		"nothing known": {nil, ""},
	} {
		if got := sandboxImage(test.info); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestSystemdFromInfo(t *testing.T) {
	for config, want := range map[string]bool{
		`{"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"options":{"SystemdCgroup":true}}}}}`:                   true,
		`{"containerd":{"defaultRuntimeName":"kata","runtimes":{"runc":{"options":{"SystemdCgroup":true}},"kata":{}}}}`:         false,
		`{"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"options":{"SystemdCgroup":"yes","BinaryName":"x"}}}}}`: false,
		`{"containerd":{"defaultRuntimeName":"runc","runtimes":{"runc":{"options":null}}}}`:                                     false,
		`no JSON`: false,
	} {
		if got := systemdFromInfo(map[string]string{"config": config}); got != want {
			t.Errorf("%s: %t, want %t", config, got, want)
		}
	}
}

func TestNetNSPath(t *testing.T) {
	for info, want := range map[string]string{
		`{"runtimeSpec":{"linux":{"namespaces":[{"type":"ipc"},{"type":"network","path":"/run/netns/x"}]}}}`: "/run/netns/x",
		`{"runtimeSpec":{"linux":{"namespaces":[{"type":"ipc"}]}}}`:                                          "",
		`{}`: "",
		``:   "",
	} {
		if got := netNSPath(map[string]string{"info": info}); got != want {
			t.Errorf("%s: %q, want %q", info, got, want)
		}
	}
}

func TestUnixNano(t *testing.T) {
	// 1.6 sends the zero time.Time as a negative number of nanoseconds.
	for _, never := range []int64{0, -6795364578871345152} {
		if !unixNano(never).IsZero() {
			t.Errorf("%d is not the zero time", never)
		}
	}
	if got := unixNano(1500000000123456789); !got.Equal(time.Unix(1500000000, 123456789)) {
		t.Errorf("got %v", got)
	}
}

func TestCeilSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int64{
		0: 0, -time.Second: 0, 1: 1, time.Second: 1, 1500 * time.Millisecond: 2, 2 * time.Minute: 120,
	} {
		if got := ceilSeconds(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

func TestShortID(t *testing.T) {
	if got := shortID("0123456789abcdef"); got != "0123456789abc" {
		t.Errorf("got %q", got)
	}
	if got := shortID("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestNormalizeEndpoint(t *testing.T) {
	t.Chdir("/")
	for in, want := range map[string]string{
		"unix:///run/c.sock": "unix:///run/c.sock",
		"unix:/run/c.sock":   "unix:///run/c.sock",
		"/run/../run/c.sock": "unix:///run/c.sock",
		"run/c.sock":         "unix:///run/c.sock",
		"":                   "",
		"unix://":            "",
		"npipe:////./pipe/x": "",
		"http://127.0.0.1":   "",
	} {
		got, err := normalizeEndpoint(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSandboxAddresses(t *testing.T) {
	s := sandboxStatusFromPB(&pb.PodSandboxStatusResponse{Status: &pb.PodSandboxStatus{
		Id: "a",
		Network: &pb.PodSandboxNetworkStatus{
			Ip:            "10.88.0.2",
			AdditionalIps: []*pb.PodIP{{Ip: "fd00::2"}, {Ip: "fd00::3"}},
		},
	}})
	if diff := cmp.Diff([]string{"fd00::2", "fd00::3"}, s.AdditionalIPs); diff != "" || s.IP != "10.88.0.2" {
		t.Errorf("addresses %q %q", s.IP, s.AdditionalIPs)
	}
	// An answer without a status, as a broken runtime may give, is no reason to fall over.
	if s := sandboxStatusFromPB(&pb.PodSandboxStatusResponse{}); s.ID != "" {
		t.Errorf("status %+v", s)
	}
}

func TestPIDFromInfo(t *testing.T) {
	for info, want := range map[string]int{
		`{"sandboxID":"a","pid":4711,"removing":false}`: 4711, // containerd, CRI-O
		`{"sandboxID":"a"}`:                             0,
		`{"pid":"x"}`:                                   0,
		``:                                              0,
	} {
		if got := pidFromInfo(map[string]string{"info": info}); got != want {
			t.Errorf("%s: %d, want %d", info, got, want)
		}
	}
	if got := pidFromInfo(nil); got != 0 {
		t.Errorf("nothing: %d", got)
	}
}
