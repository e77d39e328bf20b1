package fleet

// reasons are what a Why says, for people, by the names that reports have.
var reasons = map[string]string{
	"seed":    "what it lacks only seeds have",
	"peers":   "its peers send no more",
	"disk":    "its disk is slow",
	"choked":  "its peers choke it",
	"link":    "its link is full",
	"tracker": "it knows nobody, and its tracker does not answer",
	"limit":   "its own rate limit",
}

// Reason says in words why a host is not faster, by the name of a Why. It is empty
// for "none" and for what is no name of one.
func Reason(why string) string { return reasons[why] }
