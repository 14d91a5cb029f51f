package convert

import "fmt"

// title is the first line of an exported file.
func (m Machine) title(format string) string {
	what := m.Recipe.Summary
	if what == "" {
		what = string(m.Recipe.Guest)
	}
	return fmt.Sprintf("%s: %s. Written by: vmctl export %s", m.Pod.Name, what, format)
}

// caution is on what costs the disk of an image that keeps a marker (see
// recipe.Contract).
func (m Machine) caution() []string {
	marker := m.Recipe.Contract().MarkerFile
	if marker == "" {
		return nil
	}
	return []string{"", fmt.Sprintf("The image deletes the disk at its next start if the guest was never shut down cleanly after "+
		"the installation: after a kill, a removal by force, or a power cut. So stop it once when it is installed. "+
		"Afterwards the file %s is beside the disk.", marker)}
}
