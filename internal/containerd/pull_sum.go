package containerd

import (
	"strings"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/opencontainers/go-digest"
)

// The stages of a pull.
const (
	StageResolving   = "resolving"   // nothing is fetched yet
	StageDownloading = "downloading" // something is
	StageUnpacking   = "unpacking"   // nothing is any more
)

// PullProgress is how far a pull has come.
type PullProgress struct {
	Done, Total int64  // bytes as they are transferred; both 0 while nothing is known
	Stage       string // one of the Stage constants
}

// pullSum remembers what was fetched: containerd lists a blob only while it
// comes in.
type pullSum struct {
	seen  map[string]*ingest     // by reference, such as "layer-sha256:..."
	known map[digest.Digest]bool // blobs whose manifest was read
}

type ingest struct {
	done, total int64
	running     bool
	waiting     bool // for its turn: in a manifest, and neither listed nor there
}

func newPullSum() *pullSum {
	return &pullSum{seen: map[string]*ingest{}, known: map[digest.Digest]bool{}}
}

// add takes what containerd lists now. A blob that is listed no more counts as
// fetched whole; of one that is fetched anew after an error, only what goes beyond
// the first attempt.
func (s *pullSum) add(listed []*contentapi.Status) PullProgress {
	for _, in := range s.seen {
		in.running = false
	}
	for _, st := range listed {
		if !ofPull(st.GetRef()) {
			continue
		}
		in := s.seen[st.GetRef()]
		if in == nil {
			in = &ingest{}
			s.seen[st.GetRef()] = in
		}
		in.running, in.waiting = true, false
		in.done = max(in.done, st.GetOffset())
		in.total = max(in.total, st.GetTotal(), in.done) // containerd may not know it yet
	}
	return s.sum()
}

func (s *pullSum) sum() PullProgress {
	p := PullProgress{Stage: StageResolving}
	if len(s.seen) > 0 {
		p.Stage = StageUnpacking
	}
	for _, in := range s.seen {
		if in.running || in.waiting {
			p.Stage = StageDownloading
		} else {
			in.done = in.total
		}
		p.Done += in.done
		p.Total += in.total
	}
	return p
}

// ofPull tells the blobs of an image that is pulled (containerd: core/remotes,
// MakeRefKey) from those of imports and of unpacking.
func ofPull(ref string) bool {
	for _, kind := range []string{"layer-", "config-", "manifest-", "index-"} {
		if strings.HasPrefix(ref, kind) {
			return true
		}
	}
	return false
}

func refsOf(listed []*contentapi.Status) []string {
	var refs []string
	for _, st := range listed {
		refs = append(refs, st.GetRef())
	}
	return refs
}
