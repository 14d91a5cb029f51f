package portfwd

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
)

// agentState is what an agent writes down, so that the one that takes its place when it
// was killed serves the same. The file is there as long as the agent is wanted: one that
// ends as it should removes it.
type agentState struct {
	Name     string    `json:"name"` // of the machine
	Boot     string    `json:"boot"` // of the host; see bootID
	Forwards []Forward `json:"forwards"`
}

// wanted reads what an agent of the machine was serving when it was killed; false if
// there was none, or it ended as it should, or with the host.
func (a *Agents) wanted(uid string) (agentState, bool) {
	var s agentState
	data, err := os.ReadFile(a.path(uid, ".json"))
	if err != nil || json.Unmarshal(data, &s) != nil {
		return s, false
	}
	return s, s.Boot == bootID()
}

// want writes s down, all at once.
func (a *Agents) want(uid string, s agentState) error {
	s.Boot = bootID()
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	half := a.path(uid, ".json.new")
	if err := os.WriteFile(half, data, 0o600); err != nil {
		return err
	}
	return os.Rename(half, a.path(uid, ".json"))
}

// declare says that an agent is wanted, before it is started, unless it is said already.
// An agent that nobody wants by the time it runs ends at once.
func (a *Agents) declare(uid, name string) error {
	if _, wanted := a.wanted(uid); wanted {
		return nil
	}
	if err := a.unwant(uid); err != nil { // of an earlier boot
		return err
	}
	data, err := json.Marshal(agentState{Name: name, Boot: bootID()})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(a.path(uid, ".json"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil // another command was faster
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// unwant says that the agent ends as it should.
func (a *Agents) unwant(uid string) error {
	if err := os.Remove(a.path(uid, ".json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// bootID is the kernel's name for the time since the host was booted (proc(5)).
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
