//go:build e2e

package cli

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// colours counts the colours on the screen that noVNC draws; 0 while there is none.
const colours = `(() => {
  const canvas = document.querySelector("canvas");
  if (!canvas || canvas.width < 300) return 0;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < pixels.length; i += 4) seen.add(pixels[i] << 16 | pixels[i+1] << 8 | pixels[i+2]);
  return seen.size;
})()`

// testBrowser opens the viewer in a real browser and waits until the guest's console
// is on the page. VMCTL_SCREENSHOT names a directory that gets the picture.
func testBrowser(t *testing.T, url string) {
	t.Helper()
	browser := os.Getenv("VMCTL_E2E_CHROMIUM")
	if browser == "" {
		t.Fatal("VMCTL_E2E_CHROMIUM is not set: run this test with make test-e2e, which finds a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.WindowSize(1000, 760),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	// Whoever takes a picture of the page once it is loaded gets the screen.
	if n, err := chromedp.Run(ctx, chromedp.Evaluate[int](colours)); err != nil || n < 2 {
		t.Errorf("the page is loaded, and the screen has %d colours (%v)", n, err)
	}
	var picture []byte
	within(t, 60*time.Second, "the guest's console in the browser", func() error {
		n, err := chromedp.Run(ctx, chromedp.Evaluate[int](colours))
		if err != nil {
			return err
		}
		if n < 2 {
			return fmt.Errorf("%d colours on the screen", n)
		}
		picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
		return err
	})
	if dir := os.Getenv("VMCTL_SCREENSHOT"); dir != "" {
		if err := os.WriteFile(dir+"/viewer.png", picture, 0o644); err != nil {
			t.Error(err)
		}
	}
}
