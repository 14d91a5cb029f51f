package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"vmctl/internal/hint"
)

// StartResult says what Start found and did.
type StartResult struct {
	// AlreadyRunning is true if there was nothing to do.
	AlreadyRunning bool
	// Version of containerd, such as "2.4.2".
	Version string
	// Notes are what is not as usual on this host, a sentence each.
	Notes []string
}

// startLimit is how long a daemon may take until it answers. It takes a second;
// much longer only when it must first look after many pods of a daemon before it.
const startLimit = 90 * time.Second

// Start starts the runtime and waits until it answers CRI calls and its network
// is ready. One that runs already is left as it is, but that its sockets go to the
// group that was asked for. Pods of a daemon that died are taken up again.
//
// Without root the error is ErrNotRoot; ErrMissing names the executables that are
// not installed; ErrDied quotes the end of the daemon's log.
func (i *Instance) Start(ctx context.Context) (StartResult, error) {
	if err := i.NeedRoot("start"); err != nil {
		return StartResult{}, err
	}
	gid, err := groupID(i.options.Group)
	if err != nil {
		return StartResult{}, err
	}
	release, err := lockDir(ctx, i.paths.root)
	if err != nil {
		return StartResult{}, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if p, ok := readProcess(i.paths.process); ok && p.alive() {
		return i.adopt(ctx, p, gid)
	}
	return i.launch(ctx, gid)
}

// adopt is Start on top of a running daemon.
func (i *Instance) adopt(ctx context.Context, p process, gid int) (StartResult, error) {
	version, err := i.waitReady(ctx, p)
	if err != nil {
		return StartResult{}, err
	}
	if asked := i.options.LAN; asked != "" && asked != i.savedLAN() && !(asked == NoLAN && i.savedLAN() == "") {
		return StartResult{}, hint.With(fmt.Errorf("it runs already, with another local network: %q", i.savedLAN()), "stop it first: %s", i.command("stop"))
	}
	if i.savedLAN() != "" { // it may have died
		if err := i.startDHCP(findPlugins(ctx, pluginDirs())); err != nil {
			return StartResult{}, err
		}
	}
	if i.options.Group != "" {
		for _, socket := range []string{i.paths.socket, i.paths.ttrpc} {
			if err := os.Chown(socket, 0, gid); err != nil {
				return StartResult{}, err
			}
		}
	}
	return StartResult{AlreadyRunning: true, Version: version}, nil
}

// launch starts a daemon where none runs. One that does not come up is taken down
// again.
func (i *Instance) launch(ctx context.Context, gid int) (StartResult, error) {
	bins, err := i.findBinaries(ctx)
	if err != nil {
		return StartResult{}, err
	}
	if err := i.makeDirs(); err != nil {
		return StartResult{}, err
	}
	s, notes, err := i.prepare(ctx, bins, gid)
	if err != nil {
		return StartResult{}, err
	}
	i.log.Info("starting containerd", "instance", i.Name(), "executable", bins.containerd, "version", bins.version)
	offset := i.rotateLog()
	version := ""
	var p process
	if s.lan {
		err = i.startDHCP(bins.plugins)
	}
	if err == nil {
		p, err = i.spawn(ctx, bins)
	}
	if err == nil {
		version, err = i.waitReady(ctx, p)
	}
	if err == nil {
		err = i.importPause(ctx, s)
	}
	if err != nil {
		if ended := contextError(ctx); ended != nil && !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
		return StartResult{}, errors.Join(i.explain(err, offset), i.giveUp(context.WithoutCancel(ctx), p))
	}
	return StartResult{Version: version, Notes: notes}, nil
}

// giveUp takes a daemon down that did not come up, and its state directory too
// unless pods of an earlier daemon are in there.
func (i *Instance) giveUp(ctx context.Context, p process) error {
	if err := i.endDaemon(ctx, p); err != nil || i.hasLeftovers() {
		return err
	}
	return errors.Join(i.endDHCP(ctx), i.removeState())
}

// makeDirs makes the directories that the daemon expects. Those on the way to the
// socket can be passed by all: the socket itself has the group.
func (i *Instance) makeDirs() error {
	for _, dir := range []string{i.paths.root, i.paths.cniConf, i.paths.opt, i.paths.state, logsDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{statesDir, i.paths.state} {
		if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask was
			return err
		}
	}
	return nil
}

// prepare looks at the host and writes everything the daemon reads.
func (i *Instance) prepare(ctx context.Context, b binaries, gid int) (settings, []string, error) {
	release, err := lockDir(ctx, runtimesDir) // two instances must not choose one subnet
	if err != nil {
		return settings{}, nil, err
	}
	defer release()
	if _, err := i.writeNetwork(b.plugins); err != nil {
		return settings{}, nil, err
	}
	lan, err := i.writeLAN(b.plugins)
	if err != nil {
		return settings{}, nil, err
	}
	s, notes := i.settings(b, gid)
	s.lan = lan
	text, err := s.render()
	if err != nil {
		return settings{}, nil, err
	}
	return s, notes, writeFile(i.paths.config, []byte(text))
}

// settings are what this host needs, with a note for each oddity.
func (i *Instance) settings(b binaries, gid int) (settings, []string) {
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	s := settings{
		paths: i.paths, gid: gid, pluginDir: b.plugins.dir, runc: b.runc,
		snapshotter: "overlayfs", systemdCgroup: systemdRuns() && unifiedCgroups(),
		restrictOOM: !hasCapability(capSysResource),
	}
	s.pauseImage = PauseImage
	if i.findPause() == "" {
		s.pauseImage = publicPauseImage
		note("no pause image found: the first pod pulls %s", publicPauseImage)
	}
	if !overlayWorks(i.paths.root) {
		s.snapshotter = "native"
		note("no overlay file system on %s: images take more space and time", i.paths.root)
	}
	if s.restrictOOM {
		note("no CAP_SYS_RESOURCE: pods run without protection from the out-of-memory killer")
	}
	if !b.plugins.portmap {
		note("no CNI plugin portmap in %s: host ports will not work", b.plugins.dir)
	}
	if !b.plugins.firewall {
		note("no CNI plugin firewall in %s: pods have no network where the host's firewall drops forwarded packets", b.plugins.dir)
	}
	return s, notes
}
