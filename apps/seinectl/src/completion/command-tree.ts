import type { Command, Option } from 'commander';

/** What a shell completes a command by, taken from commander's tree. */
export interface CommandNode {
  /** `proxy-config clusters`; empty for the program itself. */
  readonly path: string;
  /** The name and its aliases. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly options: readonly OptionNode[];
  /** Words the first argument may be, where there is a fixed list. */
  readonly choices: readonly string[];
  readonly children: readonly CommandNode[];
}

export interface OptionNode {
  /** `-o` and `--output`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly takesFile: boolean;
}

/** Arguments that the completion scripts fill in with file names. */
const fileArgument = /<(dir|file|path)(\.\.\.)?>/;

/** @param kinds words for arguments that are a kind */
export function commandTree(command: Command, kinds: readonly string[], path = ''): CommandNode {
  const argument = command.registeredArguments[0];
  return {
    path,
    names: [command.name(), ...command.aliases()],
    summary: command.summary() || command.description(),
    options: command.options.filter((option) => !option.hidden).map(optionNode),
    choices: argument?.name() === 'kind' ? kinds : (argument?.argChoices ?? []),
    children: command.commands.map((child) =>
      commandTree(child, kinds, path ? `${path} ${child.name()}` : child.name()),
    ),
  };
}

function optionNode(option: Option): OptionNode {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    takesFile: fileArgument.test(option.flags),
  };
}

/** The node and all below it, parents first. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}
