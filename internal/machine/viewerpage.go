package machine

import (
	"fmt"

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
