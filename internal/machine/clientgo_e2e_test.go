//go:build e2e

package machine

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"

	"vmctl/internal/portfwd/portfwdtest"
)

// clientGo forwards a port of the pod as kubectl does, by a process of the program in
// bench/clientgo, and returns the address that it listens on and the process.
func (r *forwardRig) clientGo(t testing.TB, port int) (address string, pid int) {
	t.Helper()
	conn, err := grpc.NewClient(r.client.Endpoint(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reply, err := pb.NewRuntimeServiceClient(conn).PortForward(t.Context(), &pb.PortForwardRequest{PodSandboxId: r.pod.ID, Port: []int32{int32(port)}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(os.Getenv("VMCTL_E2E_BIN"), "tools", "clientgo"), reply.Url, strconv.Itoa(port))
	return startForwarder(t, cmd)
}

// startForwarder starts a process that prints the address it listens on, and that ends
// with its standard input, or with the test.
func startForwarder(t testing.TB, cmd *exec.Cmd) (address string, pid int) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(cmd.Path), err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid
}

// TestConformClientGo runs the suite of package portfwdtest against client-go's port
// forwarding, to show what that fails: `make conformance` prints it beside ours.
func TestConformClientGo(t *testing.T) {
	for name, client := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			r := newForwardRig(t, client)
			portfwdtest.Run(t, portfwdtest.Rung{Accepts: true, Large: largeTransfer(t, 16<<20), ListenTCP: func(t testing.TB) (net.Listener, string) {
				l := r.listenTCP(t, ":0")
				address, _ := r.clientGo(t, tcpPort(l))
				return l, address
			}})
		})
	}
}

// largeTransfer is how many bytes the suite's large transfers have: least, or what
// VMCTL_CONFORM_LARGE says.
func largeTransfer(t testing.TB, least int64) int64 {
	t.Helper()
	text := os.Getenv("VMCTL_CONFORM_LARGE")
	if text == "" {
		return least
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
