//go:build e2e

package critest_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// endpointsVariable names the runtimes to test: "name=unix:///path,...".
const endpointsVariable = "VMCTL_E2E_ENDPOINTS"

// TestConformanceReal runs the suite on real runtimes, as root. Each must have a
// pause image and a network, see `make test`.
func TestE2EConformance(t *testing.T) {
	list := os.Getenv(endpointsVariable)
	if list == "" {
		t.Fatalf("%s is not set: which runtimes are to be tested?", endpointsVariable)
	}
	registry := critest.NewRegistry(t)
	for _, entry := range strings.Split(list, ",") {
		name, endpoint, ok := strings.Cut(entry, "=")
		if !ok {
			t.Fatalf("%s: %q is not name=endpoint", endpointsVariable, entry)
		}
		t.Run(name, func(t *testing.T) {
			pullImage(t, endpoint, registry.Image)
			critest.RunConformance(t, critest.Harness{
				Endpoint:  endpoint,
				Image:     registry.Image,
				Registry:  registry.Pulls,
				Events:    name == "containerd-2",
				Isolated:  true,
				HostPorts: true,
			})
		})
	}
}

// pullImage makes the suite's image present for the time of the test.
func pullImage(t *testing.T, endpoint, ref string) {
	t.Helper()
	c, err := cri.Dial(t.Context(), endpoint)
	if err != nil {
		t.Fatalf("no runtime to test: %v", err)
	}
	t.Cleanup(func() {
		if err := c.RemoveImage(context.WithoutCancel(t.Context()), ref); err != nil {
			t.Error(err)
		}
		c.Close()
	})
	if _, err := c.PullImage(t.Context(), ref, cri.Auth{}); err != nil {
		t.Fatal(err)
	}
}
