package main

import (
	"net/url"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// Todo is the record: something to do, on somebody's list.
type Todo struct {
	ID   string `json:"id,omitempty"`
	List string `json:"list"`
	Text string `json:"text"`
	Done bool   `json:"done"`
}

func (t Todo) String() string {
	if t.Done {
		return "[x] " + t.Text
	}
	return "[ ] " + t.Text
}

// home is the query of the list that both clients look at.
const home = "list=home"

// reword is a mutation: another text.
func reword(text string) freshet.Mutation[Todo] {
	return freshet.Mutation[Todo]{Apply: func(t Todo) (Todo, error) { t.Text = text; return t, nil }}
}

// tick is a mutation: it is done.
var tick = freshet.Mutation[Todo]{Apply: func(t Todo) (Todo, error) { t.Done = true; return t, nil }}

// lists is the origin as a cache sees it. It says which list a todo is on, so
// that one that was just made can join it without asking (freshet.Membership).
type lists struct{ *rest.Origin[Todo] }

func (lists) Belongs(query string, item freshet.Item[Todo]) bool {
	values, err := url.ParseQuery(query)
	return err == nil && values.Get("list") == item.Value.List
}
