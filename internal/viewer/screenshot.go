package viewer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/websocket"
)

// ErrPassword is returned when a VNC server wants a password. Those of the images never
// do.
var ErrPassword = errors.New("the VNC server asks for a password")

// Screenshot returns the guest's screen as it is now, over VNC. addr is a TCP address
// ("10.88.0.5:5900") or the WebSocket of the web viewer ("ws://127.0.0.1:8006/websockify",
// with user:password@ when it is protected). It takes a whole uncompressed picture,
// 4 MB for 1280x800, so it is meant for this host or its pods, a few times a minute.
func Screenshot(ctx context.Context, addr string) (image.Image, error) {
	conn, err := dialVNC(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("screenshot: connect: %w", err)
	}
	defer conn.Close()
	// An ended context unblocks whatever read or write is under way.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	img, err := capture(conn)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("screenshot: %w", err)
	}
	return img, nil
}

func dialVNC(ctx context.Context, addr string) (net.Conn, error) {
	if !strings.HasPrefix(addr, "ws://") {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	u, err := url.Parse(addr)
	if err != nil {
		return nil, err
	}
	auth := u.User
	u.User = nil
	cfg, err := websocket.NewConfig(u.String(), "http://"+u.Host)
	if err != nil {
		return nil, err
	}
	if auth != nil {
		password, _ := auth.Password()
		pair := base64.StdEncoding.EncodeToString([]byte(auth.Username() + ":" + password))
		cfg.Header = http.Header{"Authorization": {"Basic " + pair}}
	}
	ws, err := cfg.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	ws.PayloadType = websocket.BinaryFrame
	return ws, nil
}
