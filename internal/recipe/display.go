package recipe

import (
	"fmt"
	"regexp"
	"strconv"
)

// Viewer is how the guest's screen is shown.
type Viewer struct {
	// Display is where the screen is shown.
	Display Display
	// Resolution is the screen's size, "1920x1080"; "" is the image's choice.
	Resolution string
	// Protect has the web viewer ask for the guest's USERNAME and PASSWORD. VNC on
	// port 5900 asks for none all the same.
	Protect bool
	// Audio plays the guest's sound in the web viewer.
	Audio bool
	// Peers lets other machines of this host reach the viewer and VNC.
	Peers bool
}

// Display is where a guest's screen is shown.
type Display string

// The displays.
const (
	DisplayWeb  Display = "web"  // in the browser, and over VNC
	DisplayVNC  Display = "vnc"  // over VNC only
	DisplayNone Display = "none" // nowhere; the guest has a graphics card all the same
)

// The images' variables behind the viewer (qemus/qemu src/display.sh, src/server.sh).
const (
	envDisplay = "DISPLAY"
	envProtect = "PROTECT"
	envAudio   = "AUDIO"
	envWidth   = "WIDTH"
	envHeight  = "HEIGHT"
)

var resolutionPattern = regexp.MustCompile(`^([1-9][0-9]{2,4})x([1-9][0-9]{2,4})$`)

func parseResolution(s string) (string, error) {
	if !resolutionPattern.MatchString(s) {
		return "", fmt.Errorf(`not a resolution: %q; write one such as "1920x1080"`, s)
	}
	return s, nil
}

func parseDisplay(s string) (Display, error) {
	switch s {
	case "web", "vnc":
		return Display(s), nil
	case "disabled":
		return DisplayNone, nil
	}
	return "", fmt.Errorf("%q has no key", s)
}

func parseSwitch(s string) (bool, error) {
	if !enabled(s) && !disabled(s) {
		return false, fmt.Errorf("must be Y or N, not %q", s)
	}
	return enabled(s), nil
}

// adoptViewer moves the images' variables into the keys for them. What has no key, as
// DISPLAY=gtk, stays.
func (d *reader) adoptViewer(r *Recipe) {
	adopt(d, r, envProtect, "viewer.protect", &r.Viewer.Protect, parseSwitch)
	adopt(d, r, envAudio, "viewer.audio", &r.Viewer.Audio, parseSwitch)
	if _, err := parseDisplay(r.Env[envDisplay]); err == nil {
		adopt(d, r, envDisplay, "viewer.display", &r.Viewer.Display, parseDisplay)
	}
	if size := r.Env[envWidth] + "x" + r.Env[envHeight]; resolutionPattern.MatchString(size) {
		delete(r.Env, envWidth)
		delete(r.Env, envHeight)
		adoptText(d, envWidth, size, "viewer.resolution", &r.Viewer.Resolution, parseResolution)
	}
}

func (v Viewer) environment() []EnvVar {
	var out []EnvVar
	if v.Display == DisplayVNC {
		out = append(out, EnvVar{envDisplay, "vnc"})
	}
	if v.Display == DisplayNone {
		out = append(out, EnvVar{envDisplay, "disabled"})
	}
	if v.Protect {
		out = append(out, EnvVar{envProtect, yesNo(strconv.FormatBool(v.Protect))})
	}
	if v.Audio {
		out = append(out, EnvVar{envAudio, yesNo(strconv.FormatBool(v.Audio))})
	}
	if m := resolutionPattern.FindStringSubmatch(v.Resolution); m != nil {
		out = append(out, EnvVar{envWidth, m[1]}, EnvVar{envHeight, m[2]})
	}
	return out
}
