// Package viewer looks at a guest's screen from outside: what the image's web page says
// while it installs, a picture of the screen, and a browser that shows it.
//
// The images (dockur/windows, dockur/macos, qemus/qemu, the demo) serve port 8006 from
// their first second. Until QEMU runs, /msg.html is one line of text for people, with a
// percentage at its end when there is one; then it is gone (404) and noVNC takes over
// (qemus/qemu web/js/script.js, src/server.sh).
//
//	err := viewer.Watch(ctx, "http://127.0.0.1:8006", viewer.Auth{}, time.Second,
//		func(s viewer.Status) bool {
//			fmt.Println(s.State, s.Text, s.Percent) // installing Downloading Windows 11 45.3
//			return s.State != viewer.Ready
//		})
//	...
//	picture, err := viewer.Screenshot(ctx, "127.0.0.1:5900")
//	err = viewer.OpenBrowser("http://127.0.0.1:8006/")
//
// Ready means that there is a screen to look at. Whether the guest has finished its
// installation is not to be seen from here: dockur/windows shows the screen while Windows
// sets itself up. And a page that does not answer (Down) is no failure: the image may be
// a second old, or between two stages.
package viewer
