package cri

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vmctl/internal/hint"
)

// sentinels are all that a caller can ask for.
var sentinels = map[string]error{
	"ErrNotFound": ErrNotFound, "ErrAlreadyExists": ErrAlreadyExists, "ErrUnavailable": ErrUnavailable,
	"ErrPermission": ErrPermission, "ErrUnimplemented": ErrUnimplemented, "ErrCRIDisabled": ErrCRIDisabled,
	"ErrTimeout": ErrTimeout, "ErrNoRuntime": ErrNoRuntime, "ErrDiskFull": ErrDiskFull,
	"Canceled": context.Canceled, "DeadlineExceeded": context.DeadlineExceeded,
}

func TestFromRPC(t *testing.T) {
	live := context.Background()
	cancelled, cancel := context.WithCancel(live)
	cancel()
	expired, cancelExpired := context.WithTimeout(live, 0)
	defer cancelExpired()
	for _, test := range []struct {
		name string
		ctx  context.Context
		code codes.Code
		text string
		want []string
	}{
		{"containerd 1.6: name in use", live, codes.Unknown,
			`failed to reserve sandbox name "a_b_c_0": name "a_b_c_0" is reserved for "d35c"`, []string{"ErrAlreadyExists"}},
		{"containerd 2: name in use", live, codes.FailedPrecondition,
			`failed to reserve container name "vm_a_b_c_0": name "vm_a_b_c_0" is reserved for "d35c"`, []string{"ErrAlreadyExists"}},
		{"docker: name in use", live, codes.Unknown,
			`Conflict. The container name "/k8s_POD_a_b_c_0" is already in use by container "d35c"`, []string{"ErrAlreadyExists"}},
		{"already exists", live, codes.AlreadyExists, "image: already exists", []string{"ErrAlreadyExists"}},
		{"not found", live, codes.NotFound, "container: not found", []string{"ErrNotFound"}},
		{"cri-dockerd: not found", live, codes.Unknown, "Error response from daemon: No such container: d35c", []string{"ErrNotFound"}},
		{"docker: no image", live, codes.Unknown, "Error: No such image: nope:1", []string{"ErrNotFound"}},
		{"CRI-O: no image", live, codes.Unknown, `reference "[overlay@/x]localhost/nope:1" does not resolve to an image ID`, []string{"ErrNotFound"}},
		{"unimplemented", live, codes.Unimplemented, "unknown service runtime.v1.RuntimeService", []string{"ErrUnimplemented"}},
		{"unavailable", live, codes.Unavailable, "error reading from server: EOF", []string{"ErrUnavailable"}},
		{"no right to the socket", live, codes.Unavailable,
			`connection error: desc = "transport: Error while dialing: dial unix /run/x.sock: connect: permission denied"`, []string{"ErrPermission"}},
		{"denied", live, codes.PermissionDenied, "no", []string{"ErrPermission"}},
		{"disk full in a pull", live, codes.Unknown, "failed to extract layer: write /x: no space left on device: unknown", []string{"ErrDiskFull"}},
		{"disk full, other code", live, codes.ResourceExhausted, "No space left on device", []string{"ErrDiskFull"}},
		{"quota", live, codes.Unknown, "write: disk quota exceeded", []string{"ErrDiskFull"}},
		{"caller left", cancelled, codes.Canceled, "context canceled", []string{"Canceled"}},
		{"runtime gave up by itself", live, codes.Canceled, "pull: context canceled", nil},
		{"caller's limit", expired, codes.DeadlineExceeded, "context deadline exceeded", []string{"ErrTimeout", "DeadlineExceeded"}},
		{"runtime's limit", live, codes.DeadlineExceeded, "timeout 1s exceeded", []string{"ErrTimeout"}},
		{"anything else", live, codes.Unknown, "runc create failed", nil},
		{"permission text of another code", live, codes.Unknown, "open /x: permission denied", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := fmt.Errorf("outer: %w", fromRPC(test.ctx, status.Error(test.code, test.text)))
			want := map[string]bool{}
			for _, name := range test.want {
				want[name] = true
			}
			for name, sentinel := range sentinels {
				if got := errors.Is(err, sentinel); got != want[name] {
					t.Errorf("matches %s: %t, want %t", name, got, want[name])
				}
			}
		})
	}
}

func TestFromRPCText(t *testing.T) {
	for _, test := range []struct {
		in   error
		want string
	}{
		{status.Error(codes.Unknown, "runc create failed: x"), "runc create failed: x"},
		{status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial unix /x: connect: no such file or directory"`),
			"dial unix /x: connect: no such file or directory"},
		{status.Error(codes.ResourceExhausted, ""), "resourceexhausted"},
		{io.EOF, "EOF"},
	} {
		if got := fromRPC(t.Context(), test.in).Error(); got != test.want {
			t.Errorf("text = %q, want %q", got, test.want)
		}
	}
	if fromRPC(t.Context(), nil) != nil {
		t.Error("no error became one")
	}
	if hint.Of(fromRPC(t.Context(), status.Error(codes.Unknown, "no space left on device"))) == "" {
		t.Error("a full disk has no hint")
	}
}

func TestIgnoreNotFound(t *testing.T) {
	if err := ignoreNotFound(fmt.Errorf("x: %w", ErrNotFound)); err != nil {
		t.Error(err)
	}
	if err := ignoreNotFound(io.EOF); err != io.EOF {
		t.Errorf("err = %v", err)
	}
}
