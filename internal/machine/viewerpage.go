package machine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/viewer"
)

// viewerBase is where the status page is asked for: the forwarded port where there
// is one, as the user will, else the sandbox itself.
func viewerBase(forwards []portfwd.Forward, ip string) string {
	mc := Machine{Forwards: forwards}
	if url := mc.ViewerURL(); url != "" {
		return url
	}
	if ip == "" {
		return ""
	}
	return fmt.Sprintf("http://%s:%d/", ip, viewerPort)
}

// askGuest asks the status page at base how far the guest is. Where the page wants a
// password that is not known, as a secret is not, the file behind it is read.
func (m *Manager) askGuest(ctx context.Context, base string, r *recipe.Recipe, container string) (viewer.Status, error) {
	status, err := viewer.Poll(ctx, base, viewerAuth(r))
	if !errors.Is(err, viewer.ErrUnauthorized) {
		return status, err
	}
	page, execErr := m.Runtime.Exec(ctx, container, []string{"cat", statusPage}, pageLimit)
	if execErr != nil {
		return status, err
	}
	return viewer.Page(string(page.Stdout), page.ExitCode == 0), nil
}

// statusPage is the file that the images' nginx serves as /msg.html (qemus/qemu
// web/conf/nginx.conf), and pageLimit how long reading it may take.
const (
	statusPage = "/run/shm/msg.html"
	pageLimit  = 5 * time.Second
)

// viewerAuth is what the images ask for when PROTECT is on: the guest's user, or
// their defaults (dockur/windows docs/environment.md).
func viewerAuth(r *recipe.Recipe) viewer.Auth {
	auth := viewer.Auth{User: "Docker", Password: "admin"}
	if v := r.Env["USERNAME"]; v != "" {
		auth.User = v
	}
	if v := r.Env["PASSWORD"]; v != "" {
		auth.Password = v
	}
	return auth
}
