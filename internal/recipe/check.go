package recipe

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/distribution/reference"

	"vmctl/internal/storage"
)

// minStopGrace leaves the image a few seconds of TIMEOUT.
const minStopGrace = 30 * time.Second

// minIdle is far below what anybody wants, and what a machine is still looked at for.
const minIdle = time.Second

// maxStopGrace is longer than anybody waits.
const maxStopGrace = 24 * time.Hour

// maxTimeout is the most seconds of TIMEOUT that maxStopGrace has room for.
const maxTimeout = int((maxStopGrace - StopMargin) / time.Second)

// handlerName is what CRI takes for a runtime handler: a DNS label (Kubernetes
// node.k8s.io/v1 RuntimeClass.handler).
var handlerName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// check reports what is wrong with a complete recipe. It looks at values only.
func (d *reader) check(r *Recipe) {
	d.checkTop(r)
	d.checkPorts(r)
	d.checkMounts(r)
	d.checkDisks(r)
	d.checkDevices(r)
	d.checkEnvNames(r)
	d.checkSecrets(r)
	if r.Guest == "" {
		return // what the image expects is not known
	}
	d.checkEnv(r)
	d.checkNetwork(r)
	d.checkInstall(r)
	d.checkResources(r)
	d.checkLifecycle(r)
}

func (d *reader) checkTop(r *Recipe) {
	if r.Name != "" {
		if err := storage.ValidName(r.Name); err != nil {
			d.report("name", "%v", err)
		}
	}
	if strings.ContainsAny(r.Summary, "\n\r") {
		d.report("summary", "must be one line")
	}
	if r.RuntimeHandler != "" && !handlerName.MatchString(r.RuntimeHandler) {
		d.report("runtime_handler", "must be lower-case letters, digits and inner hyphens, not %q", r.RuntimeHandler)
	}
	d.checkImage(r)
}

func (d *reader) checkImage(r *Recipe) {
	switch {
	case r.Guest == "" && r.Image == "":
		d.report("guest", "missing; write %s", orList(words(Guests())))
		return
	case r.Guest == "":
		d.report("guest", "missing, and %s is not an image that is known; write %s", r.Image, orList(words(Guests())))
	}
	named, err := reference.ParseNormalizedNamed(r.Image)
	switch {
	case err != nil:
		d.report("image", "not an image reference: %q: %v", r.Image, err)
	case reference.IsNameOnly(named):
		d.report("image", "no tag; write which release: %q", suggestTag(r))
	}
}

// suggestTag completes an image without a tag.
func suggestTag(r *Recipe) string {
	c := r.Contract()
	if strings.HasPrefix(c.DefaultImage, r.Image+":") {
		return c.DefaultImage
	}
	return r.Image + ":TAG"
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func (d *reader) checkLifecycle(r *Recipe) {
	grace := r.Lifecycle.StopGrace
	switch {
	case grace < minStopGrace:
		d.report("lifecycle.stop_grace", "must be at least %s, or the guest is killed before it has shut down", seconds(minStopGrace))
	case grace > maxStopGrace:
		d.report("lifecycle.stop_grace", "must be at most 24h")
	case grace%time.Second != 0:
		d.report("lifecycle.stop_grace", "must be whole seconds")
	}
	if t, ok := timeout(r); ok && grace >= minStopGrace && grace < t+StopMargin {
		d.report("lifecycle.stop_grace", "must be at least %s, which is env.TIMEOUT (%s) and %s for the image to end; a guest that is killed earlier may lose its disk",
			seconds(t+StopMargin), r.Env[envTimeout], seconds(StopMargin))
	}
	if r.Lifecycle.Ready == ReadyLog && !r.Contract().HasReadyMarker {
		d.report("lifecycle.ready", `a %s guest writes no marker; write "viewer" or "none"`, r.Guest)
	}
	switch idle := r.Lifecycle.Idle; {
	case idle.After == 0 && idle.Action != "":
		d.report("lifecycle.idle.after", `missing; write how long, such as "30m"`)
	case idle.After > 0 && idle.After < minIdle:
		d.report("lifecycle.idle.after", "must be at least %s", minIdle)
	}
}

// loopback tells whether an address is reached from this host only.
func loopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.IsLoopback()
}
