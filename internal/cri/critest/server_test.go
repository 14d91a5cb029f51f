package critest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"google.golang.org/grpc/credentials/insecure"

	"vmctl/internal/cri"
	"vmctl/internal/cri/critest"
)

// start runs a container called "vm" and returns its id.
func start(t *testing.T, rt *critest.Server, c *cri.Client, cfg cri.ContainerConfig) string {
	t.Helper()
	rt.AddImage("localhost/vm:1")
	cfg.Name, cfg.Image = "vm", "localhost/vm:1"
	pod := vm
	pod.LogDirectory = t.TempDir()
	sandbox, err := c.RunSandbox(t.Context(), pod, "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateContainer(t.Context(), sandbox, cfg, pod)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.StartContainer(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

func waitState(t *testing.T, rt *critest.Server, want cri.ContainerState) critest.Container {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if list := rt.Containers(); len(list) == 1 && list[0].State == want {
			return list[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("containers: %+v, want one in state %d", rt.Containers(), want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestStartInADirectory(t *testing.T) {
	dir, err := os.MkdirTemp("", "cri")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	rt, err := critest.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	client(t, rt)
	rt.Close()
	if _, err := os.Stat(filepath.Join(dir, "cri.sock")); err != nil {
		t.Errorf("a directory that was given is not the fake's to remove: %v", err)
	}
	if rt, err = critest.Start(filepath.Join(dir, "missing")); err == nil {
		rt.Close()
		t.Error("started in a directory that does not exist")
	}
}

func TestGuestBehaviour(t *testing.T) {
	rt := critest.NewServer(t)
	rt.OnStart("vm", func(p *critest.Process) int {
		p.Logf("booting %s", p.Container.Env[0].Value)
		p.RawLog("garbage\n")
		l, err := net.Listen("tcp", net.JoinHostPort(p.SandboxIP, "0"))
		if err != nil {
			p.Log("stderr", err.Error())
			return 1
		}
		defer l.Close()
		p.Logf("port %d", l.Addr().(*net.TCPAddr).Port)
		go func() {
			_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "screen") }))
		}()
		<-p.Stopped()
		return 0
	})
	c := client(t, rt)
	id := start(t, rt, c, cri.ContainerConfig{LogPath: "vm.log", Env: []cri.EnvVar{{Name: "VERSION", Value: "11"}}})
	status, err := c.Container(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	found := os.ErrExist
	err = cri.ReadLog(t.Context(), status.LogPath, cri.LogOptions{Follow: true}, func(l cri.LogLine) error {
		lines = append(lines, l.Text)
		if strings.HasPrefix(l.Text, "port ") {
			return found
		}
		return nil
	})
	if err != found || len(lines) != 3 || lines[0] != "booting 11" || lines[1] != "garbage" {
		t.Fatalf("log %q, %v", lines, err)
	}
	resp, err := http.Get("http://" + net.JoinHostPort(rt.Sandboxes()[0].IP, strings.TrimPrefix(lines[2], "port ")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "screen" {
		t.Errorf("body %q", body)
	}
	if err := c.StopContainer(t.Context(), id, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := waitState(t, rt, cri.ContainerExited); got.ExitCode != 0 || got.Config.Env[0].Value != "11" {
		t.Errorf("container %+v", got)
	}
}

func TestReboot(t *testing.T) {
	rt := critest.NewServer(t)
	c := client(t, rt)
	id := start(t, rt, c, cri.ContainerConfig{})
	rt.Reboot()
	s, err := c.Container(t.Context(), id)
	if err != nil || s.State != cri.ContainerExited || s.ExitCode != 255 || s.Reason != "Unknown" {
		t.Errorf("container %+v, %v", s, err)
	}
	if b := rt.Sandboxes()[0]; b.State != cri.SandboxNotReady || b.IP != "" {
		t.Errorf("sandbox %+v", b)
	}
}

func TestLostDevice(t *testing.T) {
	rt := critest.NewServer(t)
	rt.AddImage("localhost/vm:1")
	rt.LoseDevice("/dev/kvm")
	c := client(t, rt)
	sandbox, err := c.RunSandbox(t.Context(), vm, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateContainer(t.Context(), sandbox, cri.ContainerConfig{
		Name: "vm", Image: "localhost/vm:1",
		Devices: []cri.Device{{HostPath: "/dev/kvm", ContainerPath: "/dev/kvm", Permissions: "rwm"}},
	}, vm)
	if err == nil || !strings.Contains(err.Error(), "lstat /dev/kvm: no such file or directory") {
		t.Errorf("error = %v", err)
	}
}

func TestMissingMountBecomesADirectory(t *testing.T) {
	rt := critest.NewServer(t)
	missing := filepath.Join(t.TempDir(), "disk.img")
	start(t, rt, client(t, rt), cri.ContainerConfig{Mounts: []cri.Mount{{HostPath: missing, ContainerPath: "/disk.img"}}})
	if fi, err := os.Stat(missing); err != nil || !fi.IsDir() {
		t.Errorf("%v, %v", fi, err)
	}
}

func TestCRIOReturnsTheSandboxItHas(t *testing.T) {
	rt := critest.NewServer(t, critest.WithProfile(critest.CRIO()))
	c := client(t, rt)
	first, err := c.RunSandbox(t.Context(), vm, "")
	if err != nil {
		t.Fatal(err)
	}
	if second, err := c.RunSandbox(t.Context(), vm, ""); err != nil || second != first {
		t.Errorf("second run: %q, %v; want %q", second, err, first)
	}
}

func TestAddressesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		rt := critest.NewServer(t)
		if _, err := client(t, rt).RunSandbox(t.Context(), vm, ""); err != nil {
			t.Fatal(err)
		}
		ip := rt.Sandboxes()[0].IP
		if !strings.HasPrefix(ip, "127.") || seen[ip] {
			t.Errorf("address %q, after %v", ip, seen)
		}
		seen[ip] = true
	}
}

func TestWithService(t *testing.T) {
	rt := critest.NewServer(t, critest.WithService(func(r grpc.ServiceRegistrar) {
		healthpb.RegisterHealthServer(r, health.NewServer())
	}))
	conn, err := grpc.NewClient(rt.Endpoint(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	rt.At("Check", 1).Fail(codes.Unknown, "ill")
	if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err == nil {
		t.Error("rules do not reach a service that was added")
	}
}

func TestExecInTheFake(t *testing.T) {
	rt := critest.NewServer(t)
	rt.OnExec("vm", func(call critest.ExecCall) critest.ExecResult {
		var res critest.ExecResult
		if !call.TTY {
			res.Stdout, res.Stderr, res.ExitCode = []byte("out"), []byte(strings.Join(call.Cmd, " ")), 3
			return res
		}
		size := <-call.Resize
		in, _ := io.ReadAll(call.Stdin)
		fmt.Fprintf(call.Stdout, "%dx%d %s", size.Width, size.Height, in)
		return res
	})
	c := client(t, rt)
	id := start(t, rt, c, cri.ContainerConfig{})
	var out, errOut strings.Builder
	code, err := c.ExecStream(t.Context(), id, []string{"ls", "-l"}, cri.ExecIO{Stdout: &out, Stderr: &errOut})
	if err != nil || code != 3 || out.String() != "out" || errOut.String() != "ls -l" {
		t.Errorf("code %d, %v, %q, %q", code, err, out.String(), errOut.String())
	}
	out.Reset()
	sizes := make(chan cri.Size, 1)
	sizes <- cri.Size{Width: 80, Height: 25}
	_, err = c.ExecStream(t.Context(), id, []string{"sh"},
		cri.ExecIO{Stdin: strings.NewReader("keys"), Stdout: &out, TTY: true, Resize: sizes})
	if err != nil || out.String() != "80x25 keys" {
		t.Errorf("terminal: %q, %v", out.String(), err)
	}
	rt.OnExec("vm", func(critest.ExecCall) critest.ExecResult { return critest.ExecResult{TimedOut: true} })
	if _, err := c.Exec(t.Context(), id, []string{"sleep"}, time.Second); !errors.Is(err, cri.ErrTimeout) {
		t.Errorf("error = %v", err)
	}
}
