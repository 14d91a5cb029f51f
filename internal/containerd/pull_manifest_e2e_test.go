//go:build e2e

package containerd

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TestE2EPullTotal pulls more layers than containerd fetches at once. From the first
// report with bytes on, the total must be the whole image's.
func TestE2EPullTotal(t *testing.T) {
	const layers, size = 8, 1 << 20
	image := layered(t, layers, size)
	onEachContainerd(t, func(t *testing.T, r *rig) {
		ref := slowRegistry(t) + "/e2e/layers:1"
		push(t, ref, image)
		r.start(t)
		ctx, cancel := context.WithCancel(t.Context())
		var totals []int64
		var last PullProgress
		watched := make(chan error, 1)
		go func() {
			watched <- WatchPull(ctx, r.Socket(), 20*time.Millisecond, func(p PullProgress) {
				if p.Done > 0 && p.Total > size/2 { // not the manifest alone
					totals = append(totals, p.Total)
				}
				last = p
			})
		}()
		_, err := cri.NewImageServiceClient(r.conn).PullImage(t.Context(), &cri.PullImageRequest{Image: &cri.ImageSpec{Image: ref}})
		cancel()
		if watchErr := <-watched; err != nil || watchErr != nil {
			t.Fatalf("pull: %v, watch: %v", err, watchErr)
		}
		if len(totals) < 5 || totals[0] < layers*size || totals[len(totals)-1] > totals[0]+size/2 {
			t.Errorf("totals %v, want at least %d from the first one on", totals, layers*size)
		}
		if last.Done < layers*size/2 {
			t.Errorf("last report %+v", last)
		}
	})
}

func layered(t *testing.T, layers, size int) v1.Image {
	t.Helper()
	random := rand.NewChaCha8([32]byte{2})
	image := imageOf(t, size)
	for range layers - 1 {
		data := make([]byte, size)
		_, _ = random.Read(data)
		var err error
		image, err = mutate.AppendLayers(image, static.NewLayer(tarOf(t, "data", data), types.DockerUncompressedLayer))
		if err != nil {
			t.Fatal(err)
		}
	}
	return image
}
