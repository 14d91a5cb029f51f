package containerd

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// sweepTries is how often the rules are read and cleared anew, should another
// program change them in between.
const sweepTries = 3

// sweepRules removes what the CNI plugins left in iptables: rules that name our
// network or an address of our subnet, and, if alone, the plugins' common chains
// once nobody uses them. All goes at once per table, or nothing.
func sweepRules(ctx context.Context, network string, subnet netip.Prefix, alone bool) error {
	save, restore := lookPath("iptables-save"), lookPath("iptables-restore")
	if save == "" || restore == "" {
		return nil // nobody made rules, then
	}
	var err error
	for range sweepTries {
		text, readErr := exec.CommandContext(ctx, save).Output()
		if readErr != nil {
			return fmt.Errorf("read iptables rules: %w", readErr)
		}
		script := parseRules(string(text)).sweep(network, subnet, alone)
		if script == "" {
			return nil
		}
		cmd := exec.CommandContext(ctx, restore, "--noflush", "--wait", "10")
		cmd.Stdin = strings.NewReader(script)
		out, runErr := cmd.CombinedOutput()
		if runErr == nil {
			return nil
		}
		err = fmt.Errorf("remove iptables rules: %w: %s", runErr, strings.TrimSpace(string(out)))
	}
	return err
}
