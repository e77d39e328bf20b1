package main

import "github.com/spf13/cobra"

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of bash, zsh, fish or powershell",
		Long: `Print a completion script of commands, options, their values and files. In a running
shell:

    source <(starling completion bash)
    starling completion zsh >"${fpath[1]}/_starling"
    starling completion fish | source
    starling completion powershell | Out-String | Invoke-Expression

To keep it, write it where the shell looks at its start: bash, with the package
bash-completion, at

    ~/.local/share/bash-completion/completions/starling

and fish at

    ~/.config/fish/completions/starling.fish`,
		Args:        args(1, 1, "SHELL"),
		ValidArgs:   []string{"bash", "zsh", "fish", "powershell"},
		Annotations: map[string]string{noConfig: "true"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return unwritten(root.GenBashCompletionV2(a.stdout, true))
			case "zsh":
				return unwritten(root.GenZshCompletion(a.stdout))
			case "fish":
				return unwritten(root.GenFishCompletion(a.stdout, true))
			case "powershell":
				return unwritten(root.GenPowerShellCompletionWithDesc(a.stdout))
			}
			return usage(cmd.CommandPath(), "shell %q is not one of bash, zsh, fish, powershell", args[0])
		},
	}
}
