package machine

import (
	"fmt"
	"regexp"
	"strings"

	"vmctl/internal/cri"
)

// exitReport says why a container ended.
type exitReport struct {
	clean bool   // it ended as somebody asked: we, or the user inside the guest
	text  string // one line
	fix   string // what to do, where that is known
}

// Exit codes of the container as a whole. 143 is SIGTERM answered by a shutdown;
// 137 is SIGKILL, of the container or of QEMU alone; 255 is what containerd
// reports of a container whose end it did not see, as after a reboot.
const (
	exitClean   = 0
	exitKilled  = 137
	exitStopped = 143
	exitUnknown = 255
)

// Lines of the images' logs that tell one cause of an exit code from another
// (dockur/windows src/power.sh, qemus/qemu src/power.sh).
const (
	logBootTimeout = "Timeout while waiting for QEMU to boot"
	logQEMUDied    = "QEMU exited unexpectedly"
)

// exitCodes are the codes that mean the same in every image (qemus/qemu
// src/init.sh, network.sh, disk.sh; dockur/windows src/install.sh). Other numbers
// are used for different things by different images, so the log's last error line
// is told instead.
var exitCodes = map[int]exitReport{
	12: {text: "the container does not run as root", fix: "use the images unchanged, and no user namespace"},
	13: {text: "/storage is missing or not writable", fix: "check the permissions of the storage directory; with SELinux it needs the container_file_t label"},
	14: {text: "/dev/shm is missing in the container"},
	15: {text: "the number of CPUs is invalid", fix: "set resources.cpus to a number"},
	16: {text: "not enough memory for this guest", fix: "raise resources.memory, or free memory on this host"},
	20: {text: "the macvtap network could not be made"},
	24: {text: "the network settings are invalid", fix: "check NETWORK in the recipe"},
	28: {text: "network interface or address problem in the pod"},
	29: {text: "this network mode is not possible in this pod"},
	33: {text: "the installation file could not be used"},
	60: {text: "a download failed", fix: "check the network, then start again"},
	67: {text: "not enough memory or disk for this guest"},
	68: {text: "a download failed", fix: "check the network, then start again"},
	71: {text: "the disk cannot be made smaller", fix: "set resources.disk back to its old size"},
	74: {text: "not enough free space for the disk", fix: "free space where the storage directory is, or lower resources.disk"},
	76: {text: "not enough free space for the disk", fix: "free space where the storage directory is, or lower resources.disk"},
	88: {text: "hardware virtualisation (KVM) is not available to the guest", fix: "turn on VT-x or AMD-V in the firmware; or set KVM = \"N\" under [env], which is about ten times slower"},
}

// explainExit tells why a container ended. The exit code alone does not say: 0 is
// a power-off inside the guest, a firmware that never booted, or a stop with
// SHUTDOWN=N; 137 is a killed container or a killed QEMU.
func explainExit(c cri.ContainerStatus, want intent, log []string) exitReport {
	if c.Reason == "StartError" || c.Reason == "ContainerCannotRun" {
		return exitReport{text: "the container did not start: " + oneLine(c.Message)}
	}
	last := lastError(log)
	switch c.ExitCode {
	case exitClean:
		if strings.Contains(last, logBootTimeout) {
			return exitReport{text: "the firmware did not boot the guest within 30 s", fix: "start it again; without KVM or on a slow disk this takes longer than the image waits"}
		}
		return exitReport{clean: true, text: "shut down"}
	case exitStopped:
		return exitReport{clean: true, text: "shut down"}
	case exitKilled:
		return explainKill(c, want, last)
	case exitUnknown:
		return exitReport{clean: true, text: "its end was not seen: the host or the runtime was restarted"}
	}
	return explainCode(c.ExitCode, last)
}

func explainKill(c cri.ContainerStatus, want intent, last string) exitReport {
	switch {
	case c.Reason == "OOMKilled":
		return exitReport{text: "killed: out of memory", fix: "lower resources.memory, or free memory on this host"}
	case strings.Contains(last, logQEMUDied):
		return exitReport{text: "QEMU ended unexpectedly", fix: "see vmctl logs; with little memory on the host the kernel may have killed it"}
	case want == intentStop:
		return exitReport{clean: true, text: "killed after its grace"}
	}
	return exitReport{text: "killed from outside (SIGKILL)"}
}

func explainCode(code int, last string) exitReport {
	report, known := exitCodes[code]
	switch {
	case known && last != "":
		report.text += ": " + last
	case last != "":
		report.text = last
	case !known:
		report.text = "no error message in its log"
	}
	report.text = fmt.Sprintf("exit code %d: %s", code, report.text)
	return report
}

// escape matches the terminal colour codes in the images' logs.
var escape = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// clean takes colours, carriage returns and the images' prompt sign off a log
// line.
func clean(line string) string {
	line = escape.ReplaceAllString(line, "")
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "❯"))
}

// lastError returns the text of the last line that the image marked as an error,
// without the mark.
func lastError(log []string) string {
	for i := len(log) - 1; i >= 0; i-- {
		if _, text, ok := strings.Cut(clean(log[i]), "ERROR:"); ok {
			return strings.TrimSpace(text)
		}
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
