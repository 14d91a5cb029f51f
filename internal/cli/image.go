package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"vmctl/internal/containerd"
	"vmctl/internal/cri"
	"vmctl/internal/machine"
)

// jsonImage is an image as --json prints it.
type jsonImage struct {
	ID      string   `json:"id"`
	Tags    []string `json:"tags"`
	Digests []string `json:"digests"`
	Size    uint64   `json:"size"`
}

func newImage(t *terminal) *cobra.Command {
	ls := &cobra.Command{
		Use: "ls", Short: "List the runtime's images", Args: exactly(0, "no arguments"),
		Long:    "Lists all images of the runtime, also those that vmctl did not fetch.",
		Example: "  vmctl image ls --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runImageLs(cmd.Context(), t) },
	}
	t.jsonFlag(ls)
	pull := &cobra.Command{
		Use: "pull REFERENCE", Short: "Fetch an image before it is needed", Args: exactly(1, "one image"),
		Long: `Fetches an image from its registry, or what is newer there. vmctl up does it by itself
for an image that is missing. Prints the full reference.`,
		Example: "  vmctl image pull dockurr/windows:6.05",
		RunE:    func(cmd *cobra.Command, args []string) error { return runImagePull(cmd.Context(), t, args[0]) },
	}
	load := &cobra.Command{
		Use: "import FILE", Short: "Load an OCI or Docker archive (containerd only)", Args: exactly(1, "one file"),
		Long: `Loads the images of a tar archive, as docker save, podman save or skopeo write it,
and prints their references. Loading one again is success.`,
		Example: "  vmctl image import bin/images/demo.tar",
		RunE:    func(cmd *cobra.Command, args []string) error { return runImageImport(cmd.Context(), t, args[0]) },
	}
	rm := &cobra.Command{
		Use: "rm REFERENCE...", Short: "Remove images, with all their tags", Args: atLeastOne("image"),
		Long:    "Removes images from the runtime. One that is not there is an error (exit code 3).",
		Example: "  vmctl image rm dockurr/windows:6.05",
		RunE:    func(cmd *cobra.Command, args []string) error { return runImageRm(cmd.Context(), t, args) },
	}
	return group("image", "The runtime's images", ls, pull, load, rm)
}

func (t *terminal) runtime(ctx context.Context) (*cri.Client, error) {
	a, err := t.app()
	if err != nil {
		return nil, err
	}
	client, _, err := a.Runtime(ctx)
	return client, err
}

func runImageLs(ctx context.Context, t *terminal) error {
	client, err := t.runtime(ctx)
	if err != nil {
		return err
	}
	list, err := client.ListImages(ctx)
	if err != nil {
		return err
	}
	if t.json {
		out := make([]jsonImage, 0, len(list))
		for _, i := range list {
			out = append(out, jsonImage{i.ID, nonNil(i.Tags), nonNil(i.Digests), i.Size})
		}
		return t.printJSON(out)
	}
	var rows [][]string
	for _, i := range list {
		id := strings.TrimPrefix(i.ID, "sha256:")
		rows = append(rows, []string{dash(strings.Join(i.Tags, " ")), id[:min(12, len(id))], units.BytesSize(float64(i.Size))})
	}
	return t.printTable([]string{"IMAGE", "ID", "SIZE"}, rows)
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func runImagePull(ctx context.Context, t *terminal, name string) error {
	m, err := t.machines(ctx)
	if err != nil {
		return err
	}
	ref, err := cri.NormalizeReference(name)
	if err != nil {
		return usageError{err}
	}
	p := t.newProgress()
	err = m.Pull(ctx, ref, p.report)
	p.close()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.Out, ref)
	return err
}

func runImageImport(ctx context.Context, t *terminal, file string) error {
	client, err := t.runtime(ctx)
	if err != nil {
		return err
	}
	p := t.newProgress()
	names, err := containerd.ImportImage(ctx, strings.TrimPrefix(client.Endpoint(), "unix://"), file, func(done, total int64) {
		p.report(machine.Progress{Stage: stageImport, Text: file, Done: done, Total: total, Percent: -1})
	})
	p.close()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintln(t.Out, name); err != nil {
			return err
		}
	}
	return nil
}

func runImageRm(ctx context.Context, t *terminal, names []string) error {
	client, err := t.runtime(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		ref, err := cri.NormalizeReference(name)
		if err != nil {
			return usageError{err}
		}
		if _, err := client.Image(ctx, ref); err != nil {
			return fmt.Errorf("image %q: %w", ref, err)
		}
		if err := client.RemoveImage(ctx, ref); err != nil {
			return fmt.Errorf("remove image %q: %w", ref, err)
		}
		fmt.Fprintln(t.Out, ref)
	}
	return nil
}
