package convert

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"vmctl/internal/recipe"
)

// diskTarget matches where the images keep their disks (qemus/qemu src/disk.sh).
var diskTarget = regexp.MustCompile(`^/storage([2-6]?)$`)

// mount gives a disk a claim, and everything else the path on the node.
func (b *podBuilder) mount(m Mount) {
	v := corev1.VolumeMount{MountPath: m.Target, ReadOnly: m.ReadOnly}
	if disk := diskTarget.FindStringSubmatch(path.Clean(m.Target)); disk != nil {
		b.claim(m, "DISK"+disk[1]+"_SIZE", v)
		return
	}
	kind := corev1.HostPathDirectory
	if path.Ext(m.Target) != "" {
		kind = corev1.HostPathFile
	}
	b.note("mounts", "%s must be there on the node that runs the pod (for %s)", m.Source, m.Target)
	b.hostPath(path.Base(m.Target), m.Source, &kind, v)
}

func (b *podBuilder) claim(m Mount, variable string, v corev1.VolumeMount) {
	name := path.Base(m.Target)
	claim := &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{Name: b.w.claimName(m.Target), Labels: b.w.labels()},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: b.claimSize(m, variable)}},
		},
	}
	b.claims = append(b.claims, claim)
	v.Name = b.volumeName(name)
	b.mounts = append(b.mounts, v)
	b.volumes = append(b.volumes, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name}}})
}

func (w Workload) claimName(target string) string { return w.Name + "-" + path.Base(target) }

// mediaRoom is what the claim has beside the disk: an ISO, and what the image unpacks
// and packs again of it. Of a small disk it is as much as the disk.
const mediaRoom = 16 * recipe.GiB

// claimSize is what the disk may grow to, and for the first one the room for media.
func (b *podBuilder) claimSize(m Mount, variable string) resource.Quantity {
	if size, err := resource.ParseQuantity(m.Size); err == nil && m.Size != "" {
		return size
	}
	disk, err := recipe.ParseSize(b.w.env(variable))
	if err != nil || disk.Word != "" {
		disk.Bytes = 64 * recipe.GiB // what the images choose
		b.note("resources.disk", "the claim is for %d GiB: Kubernetes wants a number, not %q", disk.Bytes/recipe.GiB, b.w.env(variable))
	}
	room := min(disk.Bytes, mediaRoom)
	if path.Clean(m.Target) != storageMount {
		room = recipe.GiB
	}
	return *resource.NewQuantity(disk.Bytes+room, resource.BinarySI)
}

func (b *podBuilder) hostPath(name, source string, kind *corev1.HostPathType, v corev1.VolumeMount) {
	v.Name = b.volumeName(name)
	b.mounts = append(b.mounts, v)
	b.volumes = append(b.volumes, corev1.Volume{Name: v.Name, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: source, Type: kind}}})
}

// volumeName makes a DNS label that no other volume of the pod has.
func (b *podBuilder) volumeName(base string) string {
	name := strings.Trim(notInPortName.ReplaceAllString(strings.ToLower(base), "-"), "-")
	if name = strings.Trim(name[:min(len(name), 40)], "-"); name == "" {
		name = "volume"
	}
	taken := func(n string) bool {
		for _, v := range b.volumes {
			if v.Name == n {
				return true
			}
		}
		return false
	}
	free := name
	for n := 2; taken(free); n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}
