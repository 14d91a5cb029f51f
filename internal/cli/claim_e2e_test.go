//go:build e2e

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestE2EClaim: two users, two runtimes and one disk. Both start at the same moment; one
// machine runs, and the other one gets the disk when that has ended.
func TestE2EClaim(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	names := []string{"containerd-1", "containerd-2"}
	users, codes, said := map[string]*user{}, map[string]int{}, map[string]string{}
	for _, name := range names {
		u := newUser(t, realRuntimes(t)[name])
		file := filepath.Join(u.home, "demo.toml")
		if err := os.WriteFile(file, []byte(fmt.Sprintf("extends = \"demo\"\n[storage]\npath = %q\n", disk)), 0o600); err != nil {
			t.Fatal(err)
		}
		u.deleteAtEnd("claim-" + name)
		u.run(append([]string{"create", file, "--name", "claim-" + name}, anyPorts()...)...)
		users[name] = u
	}
	type result struct {
		name, said string
		code       int
	}
	results := make(chan result)
	for _, name := range names {
		go func() {
			_, errs, code := users[name].try("start", "claim-"+name, "--wait", "running")
			results <- result{name, errs, code}
		}()
	}
	for range names {
		r := <-results
		codes[r.name], said[r.name] = r.code, r.said
	}
	won, lost := names[0], names[1]
	if codes[won] != 0 {
		won, lost = lost, won
	}
	if codes[won] != 0 || codes[lost] == 0 || !strings.Contains(said[lost], "claim-"+won) {
		t.Fatalf("exit codes %v: %v", codes, said)
	}
	claim, err := os.ReadFile(filepath.Join(disk, ".vmctl-claim"))
	if err != nil || !strings.Contains(string(claim), `"container": "`) {
		t.Errorf("the claim does not name the container: %s, %v", claim, err)
	}
	users[won].run("start", "claim-"+won)
	users[won].run("stop", "claim-"+won)
	users[lost].run("start", "claim-"+lost)
	if n := users[lost].counter("claim-" + lost); n != 2 {
		t.Errorf("counter = %d on the disk that changed hands, want 2", n)
	}
	users[lost].run("stop", "claim-"+lost)
	if _, err := os.Lstat(filepath.Join(disk, ".vmctl-claim")); !os.IsNotExist(err) {
		t.Errorf("the claim is left: %v", err)
	}
}
