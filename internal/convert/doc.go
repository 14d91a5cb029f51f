// Package convert carries machines between recipes and the files of other tools:
// compose files, Kubernetes manifests, and the pod and container configs of crictl.
//
// Each format is read into a Workload and written from one: a Workload is a
// container with a virtual machine in it, as all of these tools see it. What a
// format says and a Workload does not hold is a Note, so that nothing is dropped
// in silence.
//
//	w, notes, err := convert.ReadCompose(data, "compose.yml", "windows")
//	toml, more, err := w.Recipe()
//
// The other way, a Machine is a recipe and what the runtime would be asked for to run it:
//
//	data, notes, err := convert.Machine(configs).Compose()
//
// The storage directory of a machine is read into a Workload too: see Adopt. Import
// finds out by itself which of all these it is given.
//
// The package asks no runtime and starts nothing, and only ever reads files.
package convert
