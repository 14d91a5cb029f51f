package recipe

import (
	"path"
	"slices"
	"strings"
)

// Change is a value that differs between two recipes of one machine.
type Change struct {
	Key    string `json:"key"`           // items of arrays by name: "ports.viewer.host"
	Old    string `json:"old,omitempty"` // as TOML has it; "" where there was none
	New    string `json:"new,omitempty"` // "" where there is none any more
	Effect Effect `json:"effect"`
}

// Effect is what it takes for a change to reach a machine that exists.
type Effect string

// The effects, the least first.
const (
	EffectNone    Effect = "none"         // it is read when it is needed
	EffectRestart Effect = "restart"      // the guest gets it at the next start
	EffectInstall Effect = "installation" // only an installation reads it, and that is over
	EffectDisk    Effect = "recreate"     // it is about another disk than the machine has
	EffectRefused Effect = "refused"      // the image would delete or move the disk, or does not start
)

// Diff returns what is different in the recipe that a machine of the first one would
// be made from now, in the order of the second.
func Diff(old, now *Recipe) ([]Change, error) {
	before, keys, err := flatten(old)
	if err != nil {
		return nil, err
	}
	after, order, err := flatten(now)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if _, ok := after[key]; !ok {
			order = append(order, key)
		}
	}
	var out []Change
	for _, key := range order {
		if before[key] != after[key] {
			out = append(out, Change{key, before[key], after[key], effect(old, now, key)})
		}
	}
	return out, nil
}

// flatten returns the values of a recipe by key.
func flatten(r *Recipe) (values map[string]string, keys []string, err error) {
	list, err := Explained{r, nil}.Values()
	if err != nil {
		return nil, nil, err
	}
	names := map[string]string{}
	for _, v := range list {
		item, field := splitItem(v.Key)
		if array := arrayOf(item); field == nameField(array) {
			names[item] = array + "." + strings.Trim(v.Value, `'"`)
		}
	}
	values = map[string]string{}
	for _, v := range list {
		item, field := splitItem(v.Key)
		key := v.Key
		if name, ok := names[item]; ok && field != nameField(arrayOf(item)) {
			key = name + "." + field
		} else if ok {
			continue // it is in the keys of its siblings
		}
		values[key] = v.Value
		keys = append(keys, key)
	}
	return values, keys, nil
}

// splitItem takes "ports[0].host" apart; of other keys the item is "".
func splitItem(key string) (item, field string) {
	end := strings.Index(key, "].")
	if end < 0 {
		return "", key
	}
	return key[:end+1], key[end+2:]
}

func arrayOf(item string) string {
	array, _, _ := strings.Cut(item, "[")
	return array
}

// nameField is the key by which the items of an array are told apart.
func nameField(array string) string {
	return map[string]string{"ports": "name", "disks": "name", "mounts": "target"}[array]
}

// effect judges one key.
func effect(old, now *Recipe, key string) Effect {
	contract := now.Contract()
	table, name, _ := strings.Cut(key, ".")
	switch {
	case key == "guest", table == "env" && slices.Contains(contract.IdentityEnv, name):
		return EffectRefused
	case table == "mounts" && slices.Contains(contract.MediaTargets, path.Clean(name[:max(0, strings.LastIndex(name, "."))])):
		return EffectRefused
	case table == "disks" && !(hasDisk(old, firstPart(name)) && hasDisk(now, firstPart(name))):
		return EffectRestart // the whole disk comes or goes; its file stays
	case shrinks(old, now, key), table == "disks" && strings.HasSuffix(key, ".number"):
		return EffectRefused
	case key == "name", key == "storage.path", table == "disks" && (strings.HasSuffix(key, ".path") || strings.HasSuffix(key, ".device")):
		return EffectDisk
	case (table == "env" || table == "secrets") && slices.Contains(contract.InstallEnv, firstPart(name)):
		return EffectInstall
	case key == "viewer.resolution" && slices.Contains(contract.InstallEnv, envWidth):
		return EffectInstall
	case slices.Contains([]string{"schema", "summary", "lifecycle.restart", "lifecycle.autostart"}, key), strings.HasPrefix(key, "lifecycle.idle."):
		return EffectNone
	}
	return EffectRestart
}

func hasDisk(r *Recipe, name string) bool {
	return slices.ContainsFunc(r.Disks, func(k Disk) bool { return k.Name == name })
}

func firstPart(name string) string {
	part, _, _ := strings.Cut(name, ".")
	return part
}

// shrinks tells whether a disk would get smaller, which the images refuse (qemus/qemu
// src/disk.sh, exit code 71). A share of the host is not known here.
func shrinks(old, now *Recipe, key string) bool {
	less := func(a, b Size) bool { return b.Word == "" && b.Bytes < a.Bytes }
	if key == "resources.disk" {
		return less(old.Resources.Disk, now.Resources.Disk)
	}
	for _, k := range old.Disks {
		for _, n := range now.Disks {
			if key == "disks."+k.Name+".size" && n.Name == k.Name {
				return less(k.Size, n.Size)
			}
		}
	}
	return false
}
