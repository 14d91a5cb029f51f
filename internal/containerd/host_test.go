package containerd

import (
	"os/user"
	"strconv"
	"testing"

	"vmctl/internal/hint"
)

func TestCapabilityIn(t *testing.T) {
	for _, tc := range []struct {
		name, mask string
		want       bool
	}{
		{"all", "000001ffffffffff", true},
		{"all but this", "000001fffeffffff", false},
		{"this alone", "0000000001000000", true},
		{"none", "0000000000000000", false},
		{"nonsense", "xyz", false},
	} {
		text := "Name:\tvmctl\nCapEff:\t" + tc.mask + "\nCapBnd:\tffffffffffffffff\n"
		if got := capabilityIn(text, capSysResource); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
	if capabilityIn("CapBnd:\tffffffffffffffff\n", capSysResource) {
		t.Error("a text without CapEff has the capability")
	}
}

func TestGroupID(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	mine, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		group string
		want  int
	}{{mine.Name, gid}, {me.Gid, gid}, {"0", 0}, {"4242", 4242}} {
		if got, err := groupID(tc.group); err != nil || got != tc.want {
			t.Errorf("%q: got %d, %v, want %d", tc.group, got, err, tc.want)
		}
	}
	for _, group := range []string{"no-such-group-here", "-1", "99999999999"} {
		if got, err := groupID(group); err == nil || hint.Of(err) == "" {
			t.Errorf("%q: got %d, %v with hint %q, want an error with a hint", group, got, err, hint.Of(err))
		}
	}
}

func TestDefaultGroup(t *testing.T) {
	want := 0
	if g, err := user.LookupGroup(defaultGroup); err == nil {
		want, _ = strconv.Atoi(g.Gid)
	}
	if got, err := groupID(""); err != nil || got != want {
		t.Errorf("got %d, %v, want %d", got, err, want)
	}
}

func TestOverlayNeedsADirectory(t *testing.T) {
	if overlayWorks(t.TempDir() + "/absent") {
		t.Error("an overlay was mounted in a directory that is not there")
	}
}
