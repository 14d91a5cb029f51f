package recipe

import (
	"fmt"
	"slices"
	"strings"
)

// suggestKey says what to write instead of an unknown key.
func suggestKey(path, key string, fields []field) string {
	known := namesOf(fields)
	if near := nearest(key, known); len(near) > 0 {
		return fmt.Sprintf("did you mean %q?", near[0])
	}
	for _, at := range keyPaths("", recipeFields(&Recipe{})) {
		if at == key || strings.HasSuffix(at, "."+key) {
			return fmt.Sprintf("did you mean %q?", at)
		}
	}
	return "known keys are " + strings.Join(known, ", ")
}

func namesOf(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// keyPaths lists the keys of the schema whose place is fixed: not those in arrays.
func keyPaths(prefix string, fields []field) []string {
	var out []string
	for _, f := range fields {
		at := join(prefix, f.name)
		out = append(out, at)
		out = append(out, keyPaths(at, f.shape.fields)...)
	}
	return out
}

// didYouMean is "; did you mean ...?" for the nearest candidate, or "".
func didYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); len(near) > 0 {
		return fmt.Sprintf("; did you mean %q?", near[0])
	}
	return ""
}

// orDidYouMean is the same in brackets, for the middle of a sentence.
func orDidYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); len(near) > 0 {
		return fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return ""
}

// nearest returns the candidates that word may be a slip of, the likeliest first:
// those within a third of its length in edits, and those that begin with it.
func nearest(word string, candidates []string) []string {
	word = strings.ToLower(word)
	distances := map[string]int{}
	var near []string
	for _, c := range candidates {
		d := editDistance(word, strings.ToLower(c))
		prefix := len(word) >= 3 && strings.HasPrefix(strings.ToLower(c), word)
		if d <= max(1, len(word)/3) || prefix {
			near = append(near, c)
			distances[c] = d
		}
	}
	slices.SortStableFunc(near, func(a, b string) int { return distances[a] - distances[b] })
	return near
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// orList writes `"a", "b" or "c"`.
func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
