//go:build linux

package interop

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// value is an XML-RPC value: text, a number as its text, or a list.
type value struct {
	text string
	list []value
}

// xmlCall makes one call over SCGI on a local socket.
func xmlCall(socket, method string, params []string) (value, error) {
	conn, err := net.DialTimeout("unix", socket, patience)
	if err != nil {
		return value{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return value{}, err
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, `<?xml version="1.0"?><methodCall><methodName>%s</methodName><params>`, method)
	for _, p := range params {
		body.WriteString("<param><value><string>")
		if err := xml.EscapeText(&body, []byte(p)); err != nil {
			return value{}, err
		}
		body.WriteString("</string></value></param>")
	}
	body.WriteString("</params></methodCall>")
	// SCGI: the headers as one netstring, then the body.
	head := fmt.Sprintf("CONTENT_LENGTH\x00%d\x00SCGI\x001\x00", body.Len())
	if _, err := fmt.Fprintf(conn, "%d:%s,%s", len(head), head, body.Bytes()); err != nil {
		return value{}, err
	}
	reply, err := io.ReadAll(io.LimitReader(conn, replyMost))
	if err != nil {
		return value{}, err
	}
	_, doc, ok := bytes.Cut(reply, []byte("\r\n\r\n"))
	if !ok {
		return value{}, fmt.Errorf("%s: no reply: %.200q", method, reply)
	}
	v, err := parseReply(doc)
	if err != nil {
		return value{}, fmt.Errorf("%s: %w", method, err)
	}
	return v, nil
}

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// find returns the first element of a name on the way down first children.
func (e *element) find(name string) *element {
	for i := range e.Children {
		c := &e.Children[i]
		if c.XMLName.Local == name {
			return c
		}
		if found := c.find(name); found != nil {
			return found
		}
	}
	return nil
}

func parseReply(doc []byte) (value, error) {
	var root element
	if err := xml.Unmarshal(doc, &root); err != nil {
		return value{}, err
	}
	v := root.find("value")
	if v == nil {
		return value{}, errors.New("a reply without a value")
	}
	if root.find("fault") != nil {
		return value{}, fmt.Errorf("fault: %s", strings.Join(strings.Fields(v.flat()), " "))
	}
	return v.value(), nil
}

// flat is all text of an element.
func (e *element) flat() string {
	out := e.Text
	for i := range e.Children {
		out += " " + e.Children[i].flat()
	}
	return out
}

// value reads a <value>: <string>, <i8>, <array><data>... or bare text.
func (e *element) value() value {
	if len(e.Children) == 0 {
		return value{text: e.Text}
	}
	inner := &e.Children[0]
	if inner.XMLName.Local != "array" {
		return value{text: inner.Text}
	}
	out := value{}
	if data := inner.find("data"); data != nil {
		for i := range data.Children {
			out.list = append(out.list, data.Children[i].value())
		}
	}
	return out
}

func TestXMLRPCReply(t *testing.T) {
	got, err := parseReply([]byte(`<?xml version="1.0"?><methodResponse><params><param><value><array><data>
		<value><array><data><value><string>a&amp;b</string></value><value><i8>12</i8></value></data></array></value>
		</data></array></value></param></params></methodResponse>`))
	if err != nil || len(got.list) != 1 || len(got.list[0].list) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if row := got.list[0].list; row[0].text != "a&b" || row[1].int() != 12 {
		t.Errorf("%+v", row)
	}
	_, err = parseReply([]byte(`<methodResponse><fault><value><struct><member><name>faultString</name>` +
		`<value><string>no such method</string></value></member></struct></value></fault></methodResponse>`))
	if err == nil || !strings.Contains(err.Error(), "no such method") {
		t.Errorf("a fault: %v", err)
	}
}
