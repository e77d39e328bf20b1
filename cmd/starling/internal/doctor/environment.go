package doctor

// Variable is an environment variable that nothing reads.
type Variable struct {
	Name string
	Like string // what was probably meant, "" if nobody can tell
}

// maxVariables bounds the findings about variables.
const maxVariables = 20

// judgeEnvironment has a finding for each variable.
func judgeEnvironment(unread []Variable) []Finding {
	const check = "environment"
	if len(unread) == 0 {
		return one(ok(check, "no STARLING_ variable that nothing reads"))
	}
	var out []Finding
	for _, v := range unread[:min(len(unread), maxVariables)] {
		cure := "unset it, or call it as its option: leech --up-limit is STARLING_LEECH_UP_LIMIT"
		if v.Like != "" {
			cure = "set " + v.Like + " instead, if that was meant"
		}
		out = append(out, warning(check, cure, "nothing reads %s", v.Name))
	}
	if more := len(unread) - maxVariables; more > 0 {
		out = append(out, warning(check, "mend the others first", "nothing reads %d more variables", more))
	}
	return out
}
