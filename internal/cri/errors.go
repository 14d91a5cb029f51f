package cri

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vmctl/internal/hint"
)

// What callers act on. Every error of this package that has such a cause matches
// one of these with errors.Is; its text stays the runtime's own.
var (
	// ErrNotFound: no such sandbox, container, image or log file.
	ErrNotFound = errors.New("not found")
	// ErrAlreadyExists: the name is taken by another sandbox or container.
	ErrAlreadyExists = errors.New("already exists")
	// ErrUnavailable: nothing answers on the socket, or it stopped answering.
	ErrUnavailable = errors.New("runtime unreachable")
	// ErrPermission: the socket or file is there but not for this user.
	ErrPermission = errors.New("permission denied")
	// ErrUnimplemented: the runtime does not know this call.
	ErrUnimplemented = errors.New("not implemented by the runtime")
	// ErrCRIDisabled: containerd answers, but its CRI plugin is switched off.
	ErrCRIDisabled = errors.New("CRI is disabled in this containerd")
	// ErrTimeout: a limit passed; the runtime may still be at work.
	ErrTimeout = errors.New("timed out")
	// ErrNoRuntime: no endpoint was named and no known socket answers.
	ErrNoRuntime = errors.New("no container runtime found")
	// ErrBusy: the runtime is still at work on the thing; the call may be repeated.
	ErrBusy = errors.New("busy")
	// ErrNotReady: the runtime answers, but cannot run sandboxes now.
	ErrNotReady = errors.New("runtime not ready")
	// ErrEndpoint: the endpoint is not the address of a unix socket.
	ErrEndpoint = errors.New("not a unix socket's address")
	// ErrDiskFull: the runtime ran out of disk space.
	ErrDiskFull = errors.New("no space left on device")
)

// rpcError is a gRPC status in plain dress: the runtime's text, and the sentinels
// it matches.
type rpcError struct {
	text  string
	kinds []error
}

func (e *rpcError) Error() string   { return e.text }
func (e *rpcError) Unwrap() []error { return e.kinds }

// fromRPC turns the error of one call into this package's errors. ctx is the
// context of the call: it tells a caller who gave up from a runtime that did.
func fromRPC(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	e := &rpcError{text: plainText(st.Message()), kinds: kindsOf(ctx, st)}
	if e.text == "" {
		e.text = strings.ToLower(st.Code().String())
	}
	if errors.Is(e, ErrDiskFull) {
		return hint.With(e, "free some space: df -h, vmctl image ls, vmctl image rm REF")
	}
	return e
}

// plainText cuts gRPC's own wrapping off a failure to connect.
func plainText(text string) string {
	const dialing = `transport: Error while dialing: `
	if _, cause, ok := strings.Cut(text, dialing); ok {
		return strings.TrimSuffix(cause, `"`)
	}
	return text
}

// kindsOf picks the sentinels of a status. Text is looked at before the code,
// because runtimes hide well-defined conditions behind Unknown.
func kindsOf(ctx context.Context, st *status.Status) []error {
	text := strings.ToLower(st.Message())
	for _, t := range telltales {
		if t.applies(st.Code(), text) {
			return []error{t.kind}
		}
	}
	switch st.Code() {
	case codes.Canceled:
		if ctx.Err() != nil {
			return []error{context.Canceled}
		}
		return nil
	case codes.DeadlineExceeded:
		if expired(ctx) {
			return []error{ErrTimeout, context.DeadlineExceeded}
		}
		return []error{ErrTimeout}
	case codes.NotFound:
		return []error{ErrNotFound}
	case codes.AlreadyExists:
		return []error{ErrAlreadyExists}
	case codes.PermissionDenied, codes.Unauthenticated:
		return []error{ErrPermission}
	case codes.Unimplemented:
		return []error{ErrUnimplemented}
	case codes.Unavailable:
		return []error{ErrUnavailable}
	}
	return nil
}

// expired tells whether the deadline of ctx has come. The runtime knows the
// deadline too and may notice a little before ctx does.
func expired(ctx context.Context) bool {
	const early = 100 * time.Millisecond
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) < early
}

// telltale is a text that means more than its code.
type telltale struct {
	code codes.Code // codes.OK: any
	text string
	kind error
}

func (t telltale) applies(code codes.Code, text string) bool {
	return (t.code == codes.OK || t.code == code) && strings.Contains(text, t.text)
}

// telltales, most telling first. Seen on: containerd (a container that is being
// started cannot be removed, Unknown), 1.6 (name reserved, as Unknown) and 2.x (as FailedPrecondition); cri-dockerd ("No such container",
// docker's "is already in use by container", both Unknown); CRI-O ("does not
// resolve to an image ID", Unknown); gRPC itself (EACCES on connect, as
// Unavailable).
var telltales = []telltale{
	{text: "no space left on device", kind: ErrDiskFull},
	{text: "disk quota exceeded", kind: ErrDiskFull},
	{code: codes.Unavailable, text: "permission denied", kind: ErrPermission},
	{text: "is in starting state", kind: ErrBusy},
	{text: "is reserved for", kind: ErrAlreadyExists},
	{text: "is already in use by container", kind: ErrAlreadyExists},
	{code: codes.Unknown, text: "no such container", kind: ErrNotFound},
	{code: codes.Unknown, text: "no such image", kind: ErrNotFound},
	{code: codes.Unknown, text: "does not resolve to an image id", kind: ErrNotFound},
}

// ignoreNotFound makes absence a success, for verbs that promise only that the
// thing is gone.
func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
