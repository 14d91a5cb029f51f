//go:build e2e

package machine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// benchRecipe is the demo machine without anything to wait for.
const benchRecipe = `guest = "demo"
image = "localhost/vmctl-demo:1"
[env]
KVM = "N"
INSTALL_SECONDS = 3600
[[ports]]
name = "viewer"
guest = 8006
host = "any"
`

// runtimes returns the runtimes that `make bench` has started.
func runtimes(b testing.TB) map[string]*cri.Client {
	b.Helper()
	text := os.Getenv("VMCTL_E2E_ENDPOINTS")
	if text == "" {
		b.Fatal("VMCTL_E2E_ENDPOINTS is not set: run this with make bench, which starts the runtimes")
	}
	out := map[string]*cri.Client{}
	for _, item := range strings.Split(text, ",") {
		name, endpoint, _ := strings.Cut(item, "=")
		client, err := cri.Dial(b.Context(), endpoint)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { client.Close() })
		out[name] = client
	}
	return out
}

// BenchmarkUp compares `up` with what crictl's user does: the bare five calls
// ImageStatus, RunPodSandbox, CreateContainer, StartContainer and ContainerStatus
// with the same configs, on the same socket. Each turn does both, one after the
// other, in changing order. The clean-up does not count.
func BenchmarkUp(b *testing.B) {
	for name, client := range runtimes(b) {
		b.Run(name, func(b *testing.B) {
			m := &Manager{Runtime: client, Store: storage.NewStore(b.TempDir())}
			r, err := recipe.Parse([]byte(benchRecipe), "bench.toml")
			if err != nil {
				b.Fatal(err)
			}
			var up, bare time.Duration
			turn := 0
			for b.Loop() {
				turn++
				if turn%2 == 0 {
					up += oneUp(b, m, r)
					bare += fiveCalls(b, m, r, turn)
				} else {
					bare += fiveCalls(b, m, r, turn)
					up += oneUp(b, m, r)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(up.Milliseconds())/float64(turn), "up-ms/op")
			b.ReportMetric(float64(bare.Milliseconds())/float64(turn), "five-calls-ms/op")
			b.ReportMetric(float64(up)/float64(bare), "up/five-calls")
		})
	}
}

func oneUp(b *testing.B, m *Manager, r *recipe.Recipe) time.Duration {
	b.Helper()
	begin := time.Now()
	if _, err := m.Up(b.Context(), "bench", r, StartOptions{Wait: UntilRunning}, nil); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	if err := m.Delete(b.Context(), "bench", DeleteOptions{Force: true, Storage: true}, nil); err != nil {
		b.Fatal(err)
	}
	return took
}

func fiveCalls(b *testing.B, m *Manager, r *recipe.Recipe, turn int) time.Duration {
	b.Helper()
	ctx := b.Context()
	p, _, err := m.renderPlan(ctx, fmt.Sprintf("bare-%d", turn), r, "", portfwd.Free)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	p.storage, p.logs = filepath.Join(dir, "storage"), filepath.Join(dir, "logs")
	sandbox, container := p.sandboxConfig(), p.containerConfig(r.Image)
	begin := time.Now()
	id, err := bareCalls(ctx, m.Runtime, sandbox, container)
	took := time.Since(begin)
	if err != nil {
		b.Fatal(err)
	}
	m.discard(ctx, id, 20*time.Second)
	return took
}

func bareCalls(ctx context.Context, c *cri.Client, s cri.SandboxConfig, container cri.ContainerConfig) (sandbox string, err error) {
	if _, err := c.Image(ctx, container.Image); err != nil {
		return "", err
	}
	if sandbox, err = c.RunSandbox(ctx, s, ""); err != nil {
		return "", err
	}
	id, err := c.CreateContainer(ctx, sandbox, container, s)
	if err != nil {
		return sandbox, err
	}
	if err := c.StartContainer(ctx, id); err != nil {
		return sandbox, err
	}
	_, err = c.Container(ctx, id)
	return sandbox, err
}

// BenchmarkLs lists with 1 and with 100 sandboxes that bear our labels, beside the
// two bare list calls that it cannot do without.
func BenchmarkLs(b *testing.B) {
	for name, client := range runtimes(b) {
		for _, n := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				m := &Manager{Runtime: client, Store: storage.NewStore(b.TempDir())}
				makeSandboxes(b, m, n)
				var ls, bare time.Duration
				turns := 0
				for b.Loop() {
					turns++
					begin := time.Now()
					list, err := m.List(b.Context())
					if err != nil || len(list) != n {
						b.Fatalf("%d machines, want %d: %v", len(list), n, err)
					}
					ls += time.Since(begin)
					begin = time.Now()
					if _, err := m.survey(b.Context()); err != nil {
						b.Fatal(err)
					}
					bare += time.Since(begin)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(ls.Microseconds())/1000/float64(turns), "ls-ms/op")
				b.ReportMetric(float64(ls)/float64(bare), "ls/list-calls")
			})
		}
	}
}

// makeSandboxes makes n machines that have a sandbox each and no container.
func makeSandboxes(b *testing.B, m *Manager, n int) {
	b.Helper()
	r, err := recipe.Parse([]byte(benchRecipe), "bench.toml")
	if err != nil {
		b.Fatal(err)
	}
	for k := range n {
		name := fmt.Sprintf("ls-%d", k)
		if _, err := m.Create(b.Context(), name, r); err != nil {
			b.Fatal(err)
		}
		p, _, err := m.renderPlan(b.Context(), name, nil, "", portfwd.Free)
		if err != nil {
			b.Fatal(err)
		}
		p.forwards = nil
		id, err := m.Runtime.RunSandbox(b.Context(), p.sandboxConfig(), "")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { m.discard(context.Background(), id, time.Second) })
	}
}
