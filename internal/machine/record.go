package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vmctl/internal/portfwd"
	"vmctl/internal/recipe"
	"vmctl/internal/storage"
)

// intent is what the user last asked for. Exit codes alone do not tell a shutdown
// we asked for from one that befell the guest.
type intent string

const (
	intentRun  intent = "run"
	intentStop intent = "stop"
)

// record is machine.json: the few things about a machine that neither its recipe
// nor the runtime can tell.
type record struct {
	UID       string    `json:"uid"`
	CreatedAt time.Time `json:"created_at"`
	// Recipe is where the recipe came from: a file, or "bundled:NAME".
	Recipe string `json:"recipe,omitempty"`
	// InstalledAt is when the guest's installation was seen to finish.
	InstalledAt time.Time `json:"installed_at,omitzero"`
	// Identity is what the image takes its disk for; see identityOf.
	Identity string           `json:"identity,omitempty"`
	Ports    []rememberedPort `json:"ports,omitempty"`
	Intent   intent           `json:"intent,omitempty"`
	IntentAt time.Time        `json:"intent_at,omitzero"`
	// Because is why vmctl itself has stopped it; empty where a user did.
	Because string `json:"because,omitempty"`
	// Endpoint is the runtime that the machine was last started on, in the boot of
	// the host with this ID; empty once nothing of it is left there. Another runtime
	// knows nothing of what runs on this one.
	Endpoint string `json:"endpoint,omitempty"`
	BootID   string `json:"boot_id,omitempty"`
	// Paused says that the guest's processors were stopped: see Pause.
	Paused bool `json:"paused,omitempty"`
	// Image is what the last start ran; Upgrade the last change of it.
	Image   imagePin `json:"image,omitzero"`
	Upgrade *upgrade `json:"upgrade,omitempty"`
	// Ephemeral says that the run of now has a copy of the disks, Transient that the machine
	// goes with it.
	Ephemeral bool `json:"ephemeral,omitempty"`
	Transient bool `json:"transient,omitempty"`
	// Protected says that the machine may not be deleted, nor its disk reinstalled.
	Protected bool `json:"protected,omitempty"`
}

// rememberedPort is a host port that was chosen at an earlier start, so that
// bookmarks keep working.
type rememberedPort struct {
	Guest    int              `json:"guest"`
	Protocol portfwd.Protocol `json:"protocol"`
	Host     int              `json:"host"`
}

func newRecord(r *recipe.Recipe, now time.Time) record {
	return record{UID: uuid.NewString(), CreatedAt: now, Recipe: r.Source, Identity: identityOf(r)}
}

func (r *record) remember(forwards []portfwd.Forward) {
	r.Ports = nil
	for _, f := range forwards {
		r.Ports = append(r.Ports, rememberedPort{Guest: f.GuestPort, Protocol: f.Protocol, Host: f.HostPort})
	}
}

func (r *record) want(i intent, now time.Time) { r.Intent, r.IntentAt, r.Because = i, now, "" }

// runsOn notes the runtime that the machine is started on; "" is none.
func (r *record) runsOn(endpoint string) {
	r.Endpoint, r.BootID = endpoint, ""
	if endpoint != "" {
		r.BootID = bootID()
	}
}

// bootID is the kernel's name for the time since it was booted (proc(5)).
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// handle is a machine opened for work: its directory, its record and the recipe
// it was made from.
type handle struct {
	name   string
	dir    *storage.Dir
	rec    record
	recipe *recipe.Recipe
}

// open reads a machine's directory.
func (m *Manager) open(name string) (*handle, error) {
	dir, err := m.Store.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := dir.ReadRecipe()
	if err != nil {
		return nil, fmt.Errorf("machine %q: read its recipe: %w", name, err)
	}
	r, err := recipe.Parse(data, dir.RecipePath())
	if err != nil {
		return nil, fmt.Errorf("machine %q: %w", name, err)
	}
	h := &handle{name: name, dir: dir, recipe: r}
	if err := dir.ReadJSON(storage.StateFile, &h.rec); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("machine %q: %s is missing from %s", name, storage.StateFile, dir.Path())
		}
		return nil, fmt.Errorf("machine %q: read %s: %w", name, storage.StateFile, err)
	}
	return h, nil
}

func (h *handle) save() error { return h.dir.WriteJSON(storage.StateFile, h.rec) }

// storagePath is where the guest's disk is: the recipe's path, or the machine's
// own directory; of an ephemeral run it is the copy.
func (h *handle) storagePath() string {
	if h.rec.Ephemeral {
		return h.dir.Ephemeral().StoragePath()
	}
	return storagePath(h.dir.StoragePath(), h.recipe)
}

func storagePath(own string, r *recipe.Recipe) string {
	if r.Storage.Path != "" {
		own = r.Storage.Path
	}
	// Links are resolved, so that two names of one directory are seen to be one.
	if real, err := filepath.EvalSymlinks(own); err == nil {
		return real
	}
	return filepath.Clean(own)
}

// identityOf is what decides whether the image boots the disk it finds or
// installs anew: change it, and the old disk is moved away or deleted.
func identityOf(r *recipe.Recipe) string {
	id := string(r.Guest)
	for _, key := range r.Contract().IdentityEnv {
		id += " " + key + "=" + r.Env[key]
	}
	for _, mount := range r.Mounts {
		if slices.Contains(r.Contract().MediaTargets, path.Clean(mount.Target)) {
			id += " " + mount.Target + "=" + mount.Source
		}
	}
	return id
}

// openAny opens a machine to stop or remove it. That must work although the recipe
// is not understood, as when it was made by a newer vmctl: then it is nil.
func (m *Manager) openAny(name string) (*handle, error) {
	h, err := m.open(name)
	if err == nil {
		return h, nil
	}
	dir, openErr := m.Store.Open(name)
	if openErr != nil {
		return nil, openErr
	}
	h = &handle{name: name, dir: dir}
	if jsonErr := dir.ReadJSON(storage.StateFile, &h.rec); jsonErr != nil {
		return nil, err
	}
	return h, nil
}
