package machine

import (
	"context"
	"errors"
	"strings"
	"time"

	"vmctl/internal/cri"
	"vmctl/internal/hint"
)

// ensureImage returns the image's full reference, pulling it where the runtime does
// not have it.
func (m *Manager) ensureImage(ctx context.Context, name string, report Reporter) (string, error) {
	ref, err := cri.NormalizeReference(name)
	if err != nil {
		return "", err
	}
	_, err = m.Runtime.Image(ctx, ref)
	switch {
	case err == nil:
		return ref, nil
	case !errors.Is(err, cri.ErrNotFound):
		return "", err
	case strings.HasPrefix(ref, "localhost/"):
		return "", hint.With(err,
			"it is built on this host and not pulled: make images && vmctl image import bin/images/%s.tar", localArchive(ref))
	}
	return ref, m.Pull(ctx, ref, report)
}

// Pull fetches an image, reporting bytes where the runtime tells them. There is no
// time limit: an aborted pull starts from nothing the next time.
func (m *Manager) Pull(ctx context.Context, ref string, report Reporter) error {
	begin := time.Now()
	pulled := make(chan error, 1)
	go func() {
		_, err := m.Runtime.PullImage(ctx, ref, cri.Auth{})
		pulled <- err
	}()
	bytes, stopWatching := m.watchPull(ctx)
	defer stopWatching()
	p := Progress{Stage: StagePull, Text: ref, Percent: -1}
	tick := time.NewTicker(m.pollInterval())
	defer tick.Stop()
	for {
		p.Elapsed = time.Since(begin)
		report.report(p)
		select {
		case err := <-pulled:
			if err != nil {
				return pullHint(err)
			}
			return nil
		case b := <-bytes:
			p.Done, p.Total = b.done, b.total
		case <-tick.C:
		}
	}
}

type pulledBytes struct{ done, total int64 }

// watchPull follows the runtime's pulls on a channel until it is told to stop.
func (m *Manager) watchPull(ctx context.Context) (<-chan pulledBytes, func()) {
	out := make(chan pulledBytes)
	if m.WatchPull == nil {
		return out, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := m.WatchPull(ctx, func(done, total int64) {
			select {
			case out <- pulledBytes{done, total}:
			case <-ctx.Done():
			}
		})
		if err != nil && ctx.Err() == nil {
			m.log().Info("no pull progress from this runtime", "error", err)
		}
	}()
	return out, func() { cancel(); <-ended }
}

func pullHint(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, cri.ErrUnavailable) || hint.Of(err) != "" {
		return err // the name and the network are not to blame
	}
	return hint.With(err, "check the image's name and the network; an image from a file is loaded with: vmctl image import FILE")
}

// localArchive guesses the archive of an image that this project builds:
// "localhost/vmctl-demo:1" is in demo.tar.
func localArchive(ref string) string {
	name := strings.TrimPrefix(ref, "localhost/")
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimPrefix(name, "vmctl-")
}
