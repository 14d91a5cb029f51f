package cli

import (
	"github.com/spf13/cobra"
)

func newRuntime(t *terminal) *cobra.Command {
	cmd := group("runtime", "The container runtime, and a private one of vmctl's own",
		newRuntimeStart(t), newRuntimeStop(t), newRuntimeStatus(t), newRuntimeLogs(t))
	cmd.Long = `vmctl works with the first runtime that answers: that of --runtime-endpoint,
$VMCTL_RUNTIME_ENDPOINT, $CONTAINER_RUNTIME_ENDPOINT, crictl.yaml, or vmctl's
configuration; else the private runtime, containerd, k3s, CRI-O or cri-dockerd.

The private runtime is a containerd with its own directories, socket and network,
for those who have none or want to leave theirs alone.`
	return cmd
}
