package containerd

import (
	"net"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
)

// serve answers on a unix socket with the services that register adds, until the
// test ends.
func serve(t *testing.T, register func(*grpc.Server)) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	register(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return socket
}
