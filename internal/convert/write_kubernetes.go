package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// Kind is the Kubernetes object that runs the machine.
type Kind string

// The kinds. A StatefulSet starts its guest again whenever it ends; a Pod does as its
// restart policy says, and is not made anew once it is deleted.
const (
	StatefulSet Kind = "StatefulSet"
	Pod         Kind = "Pod"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{StatefulSet, Pod} }

// Kubernetes writes the machine as a manifest: a claim for its disk, a Service, and the
// pod, with what Kubernetes cannot hold as a comment at the top and as notes.
func (m Machine) Kubernetes(kind Kind) ([]byte, []Note, error) {
	w, notes := m.Workload()
	data, more, err := w.kubernetes(kind)
	if err != nil {
		return nil, nil, fmt.Errorf("manifest of %q: %w", w.Name, err)
	}
	notes = append(notes, more...)
	if m.Recipe.Lifecycle.Autostart && kind == Pod {
		notes = append(notes, Note{"lifecycle.autostart", "a Pod that has ended stays so; a StatefulSet is started with its node"})
	}
	if m.Made {
		notes = append(notes, Note{"storage", "the disk itself is not in here; before the first start copy " + w.Mounts[0].Source + " into the claim " + w.claimName(storageMount)})
	}
	return append([]byte(header(m.kubernetesIntro(w, kind), notes)+"---\n"), data...), notes, nil
}

func (m Machine) kubernetesIntro(w Workload, kind Kind) []string {
	pod := w.podName(kind)
	lines := []string{m.title("kubernetes"), "", "    kubectl apply -f FILE"}
	if names := w.secrets(false); len(names) > 0 {
		files := ""
		for _, name := range names {
			files += fmt.Sprintf(" --from-file=%s=FILE", name)
		}
		lines = append(lines, "    kubectl create secret generic "+w.secretName()+files+"   # first; a FILE holds the value and no newline")
	}
	lines = append(lines, fmt.Sprintf("    kubectl port-forward pod/%s 8006   # then http://127.0.0.1:8006/ shows the screen", pod))
	if kind == StatefulSet {
		lines = append(lines, fmt.Sprintf("    kubectl scale statefulset %s --replicas=0   # shuts the guest down, and gives it %s", w.Name, w.grace()), "",
			"A changed manifest reaches the guest when you delete its pod (updateStrategy OnDelete), so that nothing ends an installation.")
	} else {
		lines = append(lines, fmt.Sprintf("    kubectl delete pod %s   # shuts the guest down, and gives it %s", pod, w.grace()))
	}
	lines = append(lines, "There is no liveness or startup probe and no memory limit: what they end, they kill. "+
		"The claim is of its own, so that deleting the rest keeps the disk.")
	return append(lines, m.caution()...)
}

// kubernetes writes the workload as YAML documents.
func (w Workload) kubernetes(kind Kind) ([]byte, []Note, error) {
	b := newPodBuilder(w, kind)
	spec := b.build()
	var objects []any
	for _, claim := range b.claims {
		objects = append(objects, claim)
	}
	service := w.service()
	if service != nil {
		objects = append(objects, service)
	}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels(), Annotations: b.annotations}, Spec: spec}
	if kind == Pod {
		template.Name = w.Name
		objects = append(objects, &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: template.ObjectMeta, Spec: spec})
	} else {
		objects = append(objects, w.statefulSet(template, service))
	}
	data, err := documents(objects)
	return data, b.notes, err
}

func (w Workload) statefulSet(template corev1.PodTemplateSpec, service *corev1.Service) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: metav1.ObjectMeta{Name: w.Name, Labels: w.labels()},
		Spec: appsv1.StatefulSetSpec{
			Replicas:            new(int32(1)),
			Selector:            &metav1.LabelSelector{MatchLabels: w.labels()},
			Template:            template,
			PodManagementPolicy: appsv1.OrderedReadyPodManagement,
			UpdateStrategy:      appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
		},
	}
	if service != nil {
		s.Spec.ServiceName = service.Name
	}
	return s
}

// service leads to the guest's ports. VNC stays out: it has no password, and a Service
// is open to the whole cluster.
func (w Workload) service() *corev1.Service {
	s := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: w.serviceName(), Labels: w.labels()},
		Spec:       corev1.ServiceSpec{Selector: w.labels()},
	}
	names := portNames{}
	for _, p := range w.Ports {
		name := names.of(p)
		if p.Guest != rfbPort {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: name, Port: int32(p.Guest),
				TargetPort: intstr.FromInt32(int32(p.Guest)), Protocol: protocol(p)})
		}
	}
	if len(s.Spec.Ports) == 0 || w.LAN {
		return nil
	}
	return s
}

func protocol(p Port) corev1.Protocol { return corev1.Protocol(strings.ToUpper(p.Protocol)) }

func (w Workload) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": w.Name}
}

func (w Workload) podName(kind Kind) string {
	if kind == StatefulSet {
		return w.Name + "-0"
	}
	return w.Name
}

// serviceName begins with a letter, as Services' names must (RFC 1035).
func (w Workload) serviceName() string {
	if w.Name != "" && w.Name[0] <= '9' {
		return "vm-" + w.Name
	}
	return w.Name
}

func (w Workload) secretName() string { return w.Name + "-secrets" }

// documents writes objects as YAML, without the status that a user does not write.
func documents(objects []any) ([]byte, error) {
	var out bytes.Buffer
	for i, object := range objects {
		data, err := json.Marshal(object)
		if err != nil {
			return nil, err
		}
		var tree map[string]any
		if err := json.Unmarshal(data, &tree); err != nil {
			return nil, err
		}
		delete(tree, "status")
		dropEmpty(tree)
		if data, err = yaml.Marshal(tree); err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(data)
	}
	return out.Bytes(), nil
}

// dropEmpty takes out the fields that are written although nothing is in them.
func dropEmpty(value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			dropEmpty(item)
		}
	case map[string]any:
		for key, item := range v {
			dropEmpty(item)
			if inner, ok := item.(map[string]any); item == nil || ok && len(inner) == 0 {
				delete(v, key)
			}
		}
	}
}
