package web

import "testing"

type word string

func (w word) String() string { return "<" + string(w) + ">" }

// Whatever the arguments are, they stay texts.
func TestArgumentsAreEscaped(t *testing.T) {
	var p page
	p.put(`<a href="%s">%s</a> %d %s %v`, `"><script>`, "a & 'b' %s", 3, word("b"), []string{"<i>"})
	const want = `<a href="&#34;&gt;&lt;script&gt;">a &amp; &#39;b&#39; %s</a> 3 &lt;b&gt; [&lt;i&gt;]`
	if got := p.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLinksOutside(t *testing.T) {
	for _, link := range []string{"http://console.example/", "https://c.example/#/a?b=c", "HTTPS://c.example"} {
		if got := outside(link); got != link {
			t.Errorf("%q becomes %q", link, got)
		}
	}
	for _, link := range []string{
		"", "javascript:alert(1)", "JavaScript:alert(1)", "\tjavascript:alert(1)", " http://a.example",
		"data:text/html,x", "vbscript:x", "//c.example", "c.example:8080",
	} {
		if got := outside(link); got != "" {
			t.Errorf("%q becomes %q, want nothing", link, got)
		}
	}
}
