package convert

import (
	"bytes"
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// plainCompose says what compose-go writes in the way that older readers know too:
// Docker Compose 2.24 (Ubuntu 24.04) and podman-compose take devices as text only, and
// make no folder for a bind mount unless told.
func plainCompose(data []byte) ([]byte, error) {
	file := parseNode(data)
	for _, service := range contentOf(childOf(file, "services")) {
		for _, device := range contentOf(childOf(service, "devices")) {
			*device = *scalar(deviceText(device))
		}
		for _, volume := range contentOf(childOf(service, "volumes")) {
			if bind := childOf(volume, "bind"); bind != nil && len(bind.Content) == 0 {
				bind.Style = 0 // not {}
				bind.Content = []*node{scalar("create_host_path"), scalar("true")}
			}
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(file)
	return out.Bytes(), err
}

// contentOf are the items of a list, or the keys and values of a mapping.
func contentOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.Content
}

func scalar(text string) *node { return &node{Kind: yaml.ScalarNode, Value: text} }

// deviceText is a device's short form, source[:target[:permissions]]. That of a CDI
// device is its name.
func deviceText(device *node) string {
	value := func(key string) string {
		if n := childOf(device, key); n != nil {
			return n.Value
		}
		return ""
	}
	source, target, permissions := value("source"), value("target"), cmp.Or(value("permissions"), "rwm")
	switch {
	case permissions != "rwm":
		return strings.Join([]string{source, target, permissions}, ":")
	case target != source:
		return source + ":" + target
	}
	return source
}
