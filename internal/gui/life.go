package gui

import (
	"context"

	"vmctl/internal/machine"
	"vmctl/internal/storage"
)

// Life is the part of the Engine that a machine is lived with. What Engine says of
// contexts and errors holds here too; when the context of what copies a disk ends,
// nothing of the copy stays.
type Life interface {
	// Meter returns what measures machines, again and again.
	Meter(ctx context.Context) (Measure, error)
	// PullPlug stops a machine as a power cut does.
	PullPlug(ctx context.Context, name string, report machine.Reporter) error
	// Pause stops the guest's processors, Resume lets them go on.
	Pause(ctx context.Context, name string, report machine.Reporter) error
	Resume(ctx context.Context, name string, report machine.Reporter) error
	// SendCtrlAltDel presses the three keys on the guest's keyboard.
	SendCtrlAltDel(ctx context.Context, name string, report machine.Reporter) error
	// Protect makes a machine that cannot be deleted, or takes that back.
	Protect(ctx context.Context, name string, protected bool, report machine.Reporter) error
	// Rename gives a machine that is stopped another name.
	Rename(ctx context.Context, name, to string, report machine.Reporter) error
	// Clone makes the machine called to, a copy of one that is stopped.
	Clone(ctx context.Context, name, to string, report machine.Reporter) error

	// Snapshots lists the snapshots of a machine, the oldest first.
	Snapshots(ctx context.Context, name string) ([]storage.Snapshot, error)
	// Snapshot copies the state of a machine that is stopped; an empty tag is the time.
	Snapshot(ctx context.Context, name, tag string, report machine.Reporter) error
	// RestoreSnapshot puts a machine that is stopped back. A note names the snapshot
	// that keeps the state that it had.
	RestoreSnapshot(ctx context.Context, name, tag string, report machine.Reporter) error
	// DeleteSnapshot removes a snapshot; the machine may be up.
	DeleteSnapshot(ctx context.Context, name, tag string, report machine.Reporter) error

	// Pack writes a machine that is stopped into a file that is not there yet.
	Pack(ctx context.Context, name, path string, report machine.Reporter) error
	// Unpack makes the machine called name of such a file.
	Unpack(ctx context.Context, path, name string, report machine.Reporter) error

	// CheckSetting tells what is wrong with a field of a machine, shortly; nil is fine.
	CheckSetting(name string, f Field, value string) error
	// Set changes fields of a machine, which has them at its next start. Where that
	// would cost the disk it is machine.ErrGuard, and nothing is changed.
	Set(ctx context.Context, name string, changes map[Field]string, report machine.Reporter) error

	// Ports tells of the forwards of a machine; with check, each is tried.
	Ports(ctx context.Context, name string, check bool) ([]machine.PortInfo, error)
	// AddForward forwards a port of a machine that is up until it is stopped; spec is
	// as the command line takes it.
	AddForward(ctx context.Context, name, spec string, report machine.Reporter) error
	// EndForward ends a forward that AddForward made.
	EndForward(ctx context.Context, name string, p machine.PortInfo) error
}
