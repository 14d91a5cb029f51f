package convert

import (
	"os"

	"vmctl/internal/hint"
)

// Format is a kind of file that Import reads.
type Format string

// The formats.
const (
	Compose    Format = "compose"
	Kubernetes Format = "kubernetes"
	Crictl     Format = "crictl"
)

// Detect tells a file's format from its content; "" for none of them.
func Detect(data []byte) Format {
	top := parseNode(data)
	switch {
	case childOf(top, "services") != nil:
		return Compose
	case childOf(top, "apiVersion") != nil && childOf(top, "kind") != nil:
		return Kubernetes
	case childOf(top, "metadata") != nil:
		return Crictl
	}
	return ""
}

// Import reads what paths name: a compose file, a Kubernetes manifest, crictl's pair
// of files in either order, or the storage directory of a machine. service chooses
// where there are several. The error is ErrInput, or that of the file system.
func Import(paths []string, service string) (Workload, []Note, error) {
	if info, err := os.Stat(paths[0]); err == nil && info.IsDir() {
		if len(paths) > 1 {
			return Workload{}, nil, &InputError{File: paths[0], Text: "a directory is imported by itself"}
		}
		return Adopt(paths[0], service)
	}
	files := make([]InputFile, len(paths))
	for i, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return Workload{}, nil, err
		}
		files[i] = InputFile{p, data}
	}
	w, notes, err := readFiles(files, service)
	if err != nil {
		return Workload{}, nil, err
	}
	return w, append(notes, w.CheckStorage()...), nil
}

func readFiles(files []InputFile, service string) (Workload, []Note, error) {
	first := files[0]
	format := Detect(first.Data)
	switch {
	case format == Crictl:
		return ReadCrictl(files...)
	case format != "" && len(files) > 1:
		e := &InputError{File: files[1].Name, Text: "one file at a time; only crictl's come in pairs"}
		return Workload{}, nil, hint.With(e, "join compose files first: docker compose -f %s -f %s config", first.Name, files[1].Name)
	case format == Compose:
		return ReadCompose(first.Data, first.Name, service)
	case format == Kubernetes:
		return ReadKubernetes(first.Data, first.Name, service)
	}
	if err := checkSyntax(first); err != nil {
		return Workload{}, nil, err
	}
	return Workload{}, nil, &InputError{File: first.Name,
		Text: "none of the known formats: a compose file has services, a Kubernetes manifest apiVersion and kind, a config of crictl metadata"}
}
