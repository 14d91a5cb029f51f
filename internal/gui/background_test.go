package gui

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// There is one door between the UI thread and everything else.
func TestGoroutinesAreStartedInOneFile(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("widgets/*.go")
	if err != nil {
		t.Fatal(err)
	}
	doors := 0
	for _, path := range append(files, more...) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, what := range concurrency(t, path) {
			doors++
			if path != "background.go" {
				t.Errorf("%s: %s belongs into background.go", path, what)
			}
		}
	}
	if doors == 0 {
		t.Error("not even background.go starts a goroutine: this test looks for the wrong thing")
	}
}

// concurrency names the places of a file that start goroutines or change threads.
func concurrency(t *testing.T, path string) []string {
	t.Helper()
	set := token.NewFileSet()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(set, path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, set.Position(n.Pos()).String()+": go statement")
		case *ast.SelectorExpr:
			pkg, _ := n.X.(*ast.Ident)
			if n.Sel.Name == "Go" || pkg != nil && pkg.Name == "fyne" && (n.Sel.Name == "Do" || n.Sel.Name == "DoAndWait") {
				found = append(found, set.Position(n.Pos()).String()+": "+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

// uiQueue is a UI thread that does its work when the test says so.
type uiQueue struct {
	mu    sync.Mutex
	tasks []func()
}

func (q *uiQueue) do(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks = append(q.tasks, f)
}

func (q *uiQueue) drain() (n int) {
	q.mu.Lock()
	tasks := q.tasks
	q.tasks = nil
	q.mu.Unlock()
	for _, f := range tasks {
		f()
	}
	return len(tasks)
}

func TestMailboxHandsOverTogetherAndInOrder(t *testing.T) {
	var q uiQueue
	b := newBackground(q.do)
	defer b.close()
	var got [][]int
	m := newMailbox(b, func(v []int) { got = append(got, slices.Clone(v)) })
	m.put(1)
	m.put(2)
	if n := q.drain(); n != 1 {
		t.Errorf("two values made %d deliveries", n)
	}
	m.put(3)
	q.drain()
	if len(got) != 2 || !slices.Equal(got[0], []int{1, 2}) || !slices.Equal(got[1], []int{3}) {
		t.Errorf("got %v", got)
	}
}

func TestAskAnswersAfterCancel(t *testing.T) {
	var q uiQueue
	b := newBackground(q.do)
	var got error
	cancel := ask(b, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}, func(_ int, err error) { got = err })
	cancel()
	b.wait(patience)
	q.drain()
	if !errors.Is(got, context.Canceled) {
		t.Errorf("answer: %v", got)
	}
}

func TestNothingComesBackAfterClose(t *testing.T) {
	var q uiQueue
	b := newBackground(q.do)
	b.ui(func() { t.Error("a task of before ran after close") })
	b.close()
	b.ui(func() { t.Error("a task was taken after close") })
	q.drain()
}

func TestWaitHasALimit(t *testing.T) {
	b := newBackground(func(func()) {})
	release := make(chan struct{})
	ask(b, func(context.Context) (int, error) { <-release; return 0, nil }, func(int, error) {})
	b.close()
	b.wait(time.Millisecond)
	close(release)
	b.wait(patience)
}

func TestSignalQuits(t *testing.T) {
	quit := make(chan struct{})
	b := newBackground(func(f func()) { f() })
	defer b.close()
	ctx, cancel := context.WithCancel(t.Context())
	b.until(ctx, func() { close(quit) })
	cancel()
	select {
	case <-quit:
	case <-time.After(patience):
		t.Fatal("the end of the context did not quit")
	}
}
