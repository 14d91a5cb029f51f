package cri

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	pb "k8s.io/cri-api/pkg/apis/runtime/v1"
	"sigs.k8s.io/yaml"
)

// CrictlFile is one file of the pair that crictl reads: exactly one of Sandbox and
// Container is set.
type CrictlFile struct {
	Sandbox   *SandboxConfig
	Container *ContainerConfig
	Remarks   []CrictlRemark
}

// CrictlRemark is about a field that crictl misreads, or that the configs do not have.
type CrictlRemark struct {
	Field string // dotted, as written
	Text  string
}

// ParseCrictl reads a pod-config or container-config, JSON or YAML, as crictl does:
// through sigs.k8s.io/yaml into CRI's generated structs (kubernetes-sigs/cri-tools
// cmd/crictl/util.go). crictl drops keys in camelCase in silence and refuses enums by
// name; here both are taken for what they mean, with a remark. Which of the two a
// file is, shows in its fields: a container has an image.
func ParseCrictl(data []byte) (CrictlFile, error) {
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		return CrictlFile{}, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil || tree == nil {
		return CrictlFile{}, fmt.Errorf("not a pod or container config: not a mapping")
	}
	if tree["metadata"] == nil {
		return CrictlFile{}, fmt.Errorf("not a pod or container config: no metadata")
	}
	if _, isContainer := tree["image"]; isContainer {
		return parseContainer(tree)
	}
	return parseSandbox(tree)
}

func parseSandbox(tree map[string]any) (CrictlFile, error) {
	p, remarks, err := decodeCrictl[pb.PodSandboxConfig](tree)
	if err != nil {
		return CrictlFile{}, err
	}
	s := sandboxConfigFromPB(p)
	return CrictlFile{Sandbox: &s, Remarks: append(remarks, notHeld(p, s.toPB())...)}, nil
}

func parseContainer(tree map[string]any) (CrictlFile, error) {
	p, remarks, err := decodeCrictl[pb.ContainerConfig](tree)
	if err != nil {
		return CrictlFile{}, err
	}
	c := containerConfigFromPB(p)
	return CrictlFile{Container: &c, Remarks: append(remarks, notHeld(p, c.toPB())...)}, nil
}

// decodeCrictl straightens the tree out and decodes it.
func decodeCrictl[T any](tree map[string]any) (*T, []CrictlRemark, error) {
	var d dialect
	straight := d.object("", tree, reflect.TypeFor[T]())
	text, err := json.Marshal(straight)
	if err != nil {
		return nil, nil, err
	}
	into := new(T)
	if err := json.Unmarshal(text, into); err != nil {
		return nil, nil, fmt.Errorf("as crictl would read it: %w", err)
	}
	return into, d.remarks, nil
}

// dialect turns what people write into what crictl reads.
type dialect struct{ remarks []CrictlRemark }

func (d *dialect) remark(field, format string, args ...any) {
	d.remarks = append(d.remarks, CrictlRemark{field, fmt.Sprintf(format, args...)})
}

// object goes over the keys of a message of type t.
func (d *dialect) object(at string, tree map[string]any, t reflect.Type) map[string]any {
	fields := crictlFields(t)
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		field := strings.TrimPrefix(at+"."+key, ".")
		name := key
		if _, ok := fields[name]; !ok {
			name = snake(key)
			if _, known := fields[name]; !known {
				d.remark(field, "crictl does not know it and drops it in silence; left out")
				continue
			}
			if _, twice := tree[name]; twice {
				d.remark(field, "crictl drops it in silence; left out, as %s is there too", name)
				continue
			}
			d.remark(field, "crictl drops it in silence, as it reads %s only; read so here", name)
		}
		out[name] = d.value(field, tree[key], fields[name])
	}
	return out
}

// value goes into messages and lists, and turns enums by name and numbers in quotes
// into numbers.
func (d *dialect) value(at string, v any, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case map[string]any:
		if t.Kind() == reflect.Struct && t != reflect.TypeFor[pb.KeyValue]() {
			return d.object(at, v, t)
		}
	case []any:
		if t.Kind() == reflect.Slice {
			out := []any{}
			for i, item := range v {
				place := at + "." + strconv.Itoa(i)
				if item == nil {
					d.remark(place, "empty; left out")
					continue
				}
				out = append(out, d.value(place, item, t.Elem()))
			}
			return out
		}
	case string:
		return d.number(at, v, t)
	}
	return v
}

// number is text where t is an enum or an integer.
func (d *dialect) number(at, text string, t reflect.Type) any {
	if enum, ok := reflect.Zero(t).Interface().(protoreflect.Enum); ok {
		value := enum.Descriptor().Values().ByName(protoreflect.Name(text))
		if value != nil {
			d.remark(at, "crictl refuses %q; it wants the number %d; read so here", text, value.Number())
			return int32(value.Number())
		}
		return text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if isInt := t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64; isInt && err == nil {
		d.remark(at, "crictl refuses %q in quotes; it wants the number; read so here", text)
		return n
	}
	return text
}

// crictlFields are the keys that encoding/json knows for a message.
func crictlFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for f := range fieldsOf(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && f.IsExported() {
			fields[name] = f.Type
		}
	}
	return fields
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// snake writes securityContext as security_context.
func snake(camel string) string {
	var b strings.Builder
	for i, c := range camel {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// notHeld names the fields that are set in a message and not in what came of it.
func notHeld(read, held any) []CrictlRemark {
	var out []CrictlRemark
	kept := leaves(held)
	for _, field := range slices.Sorted(maps.Keys(leaves(read))) {
		if _, ok := kept[field]; !ok {
			out = append(out, CrictlRemark{field, "not carried over"})
		}
	}
	return out
}

// leaves are the dotted paths of a message's values that are not empty. The items of
// a list are one path.
func leaves(message any) map[string]bool {
	out := map[string]bool{}
	text, err := json.Marshal(message)
	var tree any
	if err != nil || json.Unmarshal(text, &tree) != nil {
		return out
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, item := range v {
				walk(strings.TrimPrefix(at+"."+key, "."), item)
			}
		case []any:
			for _, item := range v {
				walk(at, item)
			}
		case nil:
		default:
			if !reflect.ValueOf(v).IsZero() {
				out[at] = true
			}
		}
	}
	walk("", tree)
	return out
}
