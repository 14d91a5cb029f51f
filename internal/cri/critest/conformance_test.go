package critest_test

import (
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// TestConformance keeps the fake honest: what real runtimes pass, it passes.
func TestConformance(t *testing.T) {
	for _, profile := range []critest.Profile{critest.Containerd16(), critest.Containerd2()} {
		t.Run(profile.Name+" "+profile.Version, func(t *testing.T) {
			t.Parallel()
			rt := critest.NewServer(t, critest.WithProfile(profile))
			rt.OnStart("", critest.HostProcess)
			rt.OnExec("", critest.HostExec)
			rt.AddImage("localhost/busybox:1")
			auth := cri.Auth{Username: "vm", Password: "open sesame"}
			pulls := critest.Pulls{
				Public:  "registry.test/public:1",
				Twin:    "registry.test/public:2",
				Private: "registry.test/private:1",
				Auth:    auth,
				Missing: "registry.test/missing:1",
				Endless: "registry.test/endless:1",
			}
			rt.Publish(cri.Auth{}, pulls.Public, pulls.Twin)
			rt.Publish(auth, pulls.Private)
			pulls.Waiting = func() <-chan struct{} { return rt.PublishEndless(pulls.Endless) }
			critest.RunConformance(t, critest.Harness{
				Endpoint: rt.Endpoint(),
				Image:    "localhost/busybox:1",
				Registry: pulls,
				Events:   profile.Events,
			})
		})
	}
}
