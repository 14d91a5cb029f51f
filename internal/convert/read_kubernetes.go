package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"

	"vmctl/internal/hint"
)

// ReadKubernetes reads a container of a Kubernetes manifest, several documents in
// one file: a Pod, Deployment, StatefulSet, DaemonSet or ReplicaSet with the claims,
// Services and ConfigMaps that belong to it. service names the pod, or
// POD/CONTAINER; an empty one means the only one. The error is ErrInput, with a hint
// where one must be chosen.
func ReadKubernetes(data []byte, name, service string) (Workload, []Note, error) {
	m := manifestFile{name: name}
	if err := m.read(data); err != nil {
		return Workload{}, nil, err
	}
	pod, container, err := m.choose(service)
	if err != nil {
		return Workload{}, nil, err
	}
	return m.workload(pod, container), m.notes, nil
}

// manifestFile is what the documents of a file say.
type manifestFile struct {
	name     string
	pods     []pod
	claims   []corev1.PersistentVolumeClaim
	services []corev1.Service
	configs  []corev1.ConfigMap
	notes    remarks
}

// pod is the pod of a Pod, or the template of what makes pods.
type pod struct {
	kind, name string
	labels     map[string]string
	spec       corev1.PodSpec
}

// at is a place in the pod.
func (p pod) at(field string) string { return p.kind + "/" + p.name + "." + field }

func (m *manifestFile) read(data []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc node
		err := d.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return syntaxError(m.name, err)
		}
		if len(doc.Content) == 0 || resolved(doc.Content[0]).Kind != yaml.MappingNode {
			continue // an empty document
		}
		text, err := yaml.Marshal(doc.Content[0])
		if err == nil {
			text, err = sigsyaml.YAMLToJSON(text)
		}
		if err != nil {
			return &InputError{File: m.name, Line: doc.Line, Text: err.Error()}
		}
		if err := m.document(text, doc.Content[0].Line); err != nil {
			return err
		}
	}
}

// document takes one object in.
func (m *manifestFile) document(text []byte, line int) error {
	var meta struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        metav1.ObjectMeta `json:"metadata"`
		Items           []rawObject       `json:"items"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(text, &meta); err != nil {
		return &InputError{File: m.name, Line: line, Text: err.Error()}
	}
	where := meta.Kind + "/" + meta.Metadata.Name
	var err error
	switch meta.Kind {
	case "List":
		for _, item := range meta.Items {
			if err := m.document(item, line); err != nil {
				return err
			}
		}
		return nil
	case "PersistentVolumeClaim":
		err = collect(m, where, text, &m.claims)
	case "Service":
		err = collect(m, where, text, &m.services)
	case "ConfigMap":
		err = collect(m, where, text, &m.configs)
	case "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		err = m.podOf(meta.Kind, where, text)
	case "Secret":
		m.notes.add(where, "not carried over: a recipe fetches the value at each start, see [secrets]")
	case "":
		return &InputError{File: m.name, Line: line, Field: "kind", Text: "missing: this is no Kubernetes object"}
	default:
		m.notes.add(where, "not carried over: a machine has no such thing")
	}
	if err != nil {
		return &InputError{File: m.name, Line: line, Field: where, Text: err.Error()}
	}
	return nil
}

// rawObject is an object as it stands.
type rawObject []byte

// UnmarshalJSON keeps the text.
func (j *rawObject) UnmarshalJSON(data []byte) error { *j = slices.Clone(data); return nil }

// strictly reads an object; fields that it does not have become notes.
func (m *manifestFile) strictly(where string, text []byte, into any) error {
	unknown, err := json.UnmarshalStrict(text, into)
	for _, u := range unknown {
		m.notes.add(where, "%v: Kubernetes does not know it, and it is left out", u)
	}
	return err
}

func collect[T any](m *manifestFile, where string, text []byte, list *[]T) error {
	var v T
	err := m.strictly(where, text, &v)
	*list = append(*list, v)
	return err
}

// podOf takes the pod, or the template of pods.
func (m *manifestFile) podOf(kind, where string, text []byte) error {
	var err error
	switch kind {
	case "Pod":
		var o corev1.Pod
		err = m.strictly(where, text, &o)
		m.pods = append(m.pods, pod{kind, o.Name, o.Labels, o.Spec})
	case "Deployment":
		var o appsv1.Deployment
		err = m.strictly(where, text, &o)
		m.template(kind, o.Name, o.Spec.Template, o.Spec.Replicas)
	case "StatefulSet":
		var o appsv1.StatefulSet
		err = m.strictly(where, text, &o)
		m.template(kind, o.Name, o.Spec.Template, o.Spec.Replicas)
		m.claims = append(m.claims, o.Spec.VolumeClaimTemplates...)
	case "ReplicaSet":
		var o appsv1.ReplicaSet
		err = m.strictly(where, text, &o)
		m.template(kind, o.Name, o.Spec.Template, o.Spec.Replicas)
	case "DaemonSet":
		var o appsv1.DaemonSet
		err = m.strictly(where, text, &o)
		m.template(kind, o.Name, o.Spec.Template, nil)
	}
	return err
}

// template takes the pod of what makes several alike.
func (m *manifestFile) template(kind, name string, t corev1.PodTemplateSpec, replicas *int32) {
	p := pod{kind, name, t.Labels, t.Spec}
	if replicas != nil && *replicas != 1 {
		m.notes.add(p.at("replicas"), "%d: a recipe makes one machine", *replicas)
	}
	m.pods = append(m.pods, p)
}

// choose finds the pod and the container in it.
func (m *manifestFile) choose(service string) (pod, corev1.Container, error) {
	var names []string
	for _, p := range m.pods {
		for _, c := range p.spec.Containers {
			name := p.name
			if len(p.spec.Containers) > 1 {
				name += "/" + c.Name
			}
			names = append(names, name)
			if service == name || service == "" && len(m.pods) == 1 && len(p.spec.Containers) == 1 {
				return p, c, nil
			}
		}
	}
	e := &InputError{File: m.name, Text: "there are several: " + quoteList(names)}
	switch {
	case len(names) == 0:
		e.Text = "no Pod, Deployment or StatefulSet with a container"
		return pod{}, corev1.Container{}, e
	case service != "":
		e.Text = fmt.Sprintf("no pod %q; there are %s", service, quoteList(names))
		return pod{}, corev1.Container{}, e
	}
	return pod{}, corev1.Container{}, hint.With(e, "name the one that is a machine: --service %s", names[0])
}

// origin is the file and the object, for people.
func (m *manifestFile) origin(p pod) string {
	return fmt.Sprintf("%s, %s %s", filepath.Base(m.name), strings.ToLower(p.kind), p.name)
}
