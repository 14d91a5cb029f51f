package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/zalando/go-keyring"

	"vmctl/internal/hint"
)

// lookUp asks the Secret Service of the user's session (freedesktop.org Secret Service
// API) for the item with the attributes service and username. The desktop may ask the
// user to unlock the keyring, which an ended ctx does not take back.
func lookUp(ctx context.Context, name string) (string, error) {
	service, account, _ := strings.Cut(name, "/")
	type answer struct {
		value string
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := keyring.Get(service, account)
		answers <- answer{value, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-answers:
		switch {
		case errors.Is(a.err, keyring.ErrNotFound):
			return "", hint.With(fmt.Errorf("the keyring has no %q", name),
				"store it: secret-tool store --label '%s' service '%s' username '%s'", name, service, account)
		case a.err != nil:
			return "", hint.With(fmt.Errorf("the keyring does not answer: %w", a.err),
				"it is a service of the desktop session, such as GNOME Keyring or KWallet; without one use file, env or command")
		}
		return a.value, nil
	}
}
