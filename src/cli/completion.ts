/**
 * `rocketd completion bash|zsh`: scripts that let a shell complete commands, flags and their values, made from the tables
 * of commands.
 *
 * @module
 */
import { type Command, type CommandGroup, type Flag, UsageError } from "./command.ts";
import { print } from "./output.ts";

/** All that can be typed: commands, and the flags of `rocketd` itself. */
export interface Program {
  readonly commands: readonly (Command | CommandGroup)[];
  readonly flags: readonly Flag[];
}

const SHELLS = { bash: bashScript, zsh: zshScript } as const;
const HELP_FLAG: Flag = { name: "help", short: "h", help: "show this" };
const VERSION_FLAG: Flag = { name: "version", help: "show the version" };

/** The command; the program is asked for when it runs, since it contains this command. */
export function completion(program: () => Program): Command {
  return {
    name: "completion",
    summary: "Print a script that completes commands and flags in a shell",
    operands: Object.keys(SHELLS).join("|"),
    flags: [],
    notes: [
      "bash: source <(rocketd completion bash)",
      "zsh:  rocketd completion zsh >/usr/local/share/zsh/site-functions/_rocketd",
    ],
    run: async (args) => {
      const [name, more] = args.operands;
      const script = more === undefined ? Object.entries(SHELLS).find(([shell]) => shell === name)?.[1] : undefined;
      if (script === undefined) throw new UsageError(`expected which shell: ${Object.keys(SHELLS).join(" or ")}`);
      await print(script(program()));
      return 0;
    },
  };
}

/** Each place in the program: what is typed before it, and what can follow. */
interface Place {
  /** Words after `rocketd`. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly Flag[];
  /** What its operands are, such as `FILE`. */
  readonly operands?: string | undefined;
}

function placesOf({ commands, flags }: Program): Place[] {
  const top = { path: "", commands, flags: [...flags, HELP_FLAG, VERSION_FLAG] };
  return [top, ...commands.flatMap((one) => "run" in one ? [placeOf(one)] : groupPlaces(one))];
}

function placeOf({ name, flags, operands }: Command): Place {
  return { path: name, commands: [], flags: [...flags, HELP_FLAG], operands };
}

function groupPlaces({ name, sections }: CommandGroup): Place[] {
  const commands = sections.flatMap(({ commands }) => commands);
  const names = commands.map((command) => ({ ...command, name: command.name.slice(name.length + 1) }));
  return [{ path: name, commands: names, flags: [HELP_FLAG] }, ...commands.map(placeOf)];
}

const spellingsOf = ({ name, short }: Flag) => short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
/** Flags and operands that name a file or folder. */
const isFile = (value: string | undefined) => value !== undefined && /\b(?:FILE|DIR)$/.test(value);
/** The words of `first|last`; none of `FILE`. */
const wordsOf = (value = "") => /^[a-z]+(?:\|[a-z]+)*$/.test(value) ? value.split("|") : [];
const flagWords = ({ words, value }: Flag) => words ?? wordsOf(value);

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Names of commands may be typed in capitals or not. */
function bashScript(program: Program): string {
  const places = placesOf(program);
  const words = places.map(({ path, commands, flags, operands }) => {
    const all = [...commands.map(({ name }) => name), ...wordsOf(operands), ...flags.flatMap(spellingsOf)];
    const files = isFile(operands) ? " files=yes" : "";
    return `    ${quoted(path.toLowerCase())}) words=${quoted(all.join(" "))}${files} ;;`;
  });
  const values = places.flatMap(({ path, flags }) =>
    flags.filter(({ value }) => value !== undefined).map((flag) => {
      const patterns = spellingsOf(flag).map((spelling) => quoted(`${path.toLowerCase()} ${spelling}`)).join("|");
      const files = isFile(flag.value) ? " files=yes" : "";
      return `    ${patterns}) words=${quoted(flagWords(flag).join(" "))}${files} ;;`;
    })
  );
  return `# Completes rocketd in bash: source <(rocketd completion bash)
_rocketd() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path="" words="" files="" i
  if [[ $current == "=" ]]; then current=""; elif [[ $before == "=" ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] && break
    path="\${path:+$path }\${COMP_WORDS[i],,}"
    [[ $path =~ ^(${program.commands.filter((one) => !("run" in one)).map(({ name }) => name).join("|")})$ ]] || break
  done
  case "$path" in
${words.join("\n")}
  esac
  case "$path $before" in
${values.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; [[ $files ]] && compgen -f -- "$current")
}
complete -o filenames -F _rocketd rocketd
`;
}

function zshScript(program: Program): string {
  const groups = program.commands.filter((one): one is CommandGroup => !("run" in one));
  const cases = placesOf(program).map((place) => {
    const pattern = quoted(place.path.toLowerCase());
    return `    ${pattern})\n${zshCommands(place)}      _arguments ${zshSpecs(place).join(" \\\n        ")} ;;`;
  });
  return `#compdef rocketd
# Completes rocketd in zsh: put it as _rocketd where $fpath looks.
_rocketd() {
  local place="" depth=0 i
  local -a commands
  for ((i = 2; i < CURRENT && i <= 3; i++)); do
    [[ $words[i] == -* ]] && break
    place="\${place:+$place }\${words[i]:l}"
    (( depth++ ))
    case $place in ${groups.map(({ name }) => name).join("|")}) ;; *) break ;; esac
  done
  # _arguments counts from the command's own name.
  (( depth > 0 )) && { words=("\${(@)words[depth+1,-1]}"); (( CURRENT -= depth )); }
  case $place in
${cases.join("\n")}
  esac
}
_rocketd "$@"
`;
}

function zshCommands({ commands }: Place): string {
  if (commands.length === 0) return "";
  const items = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(":", "\\:")}`));
  return `      commands=(${items.join("\n        ")})\n      (( CURRENT == 2 )) && _describe command commands\n`;
}

function zshSpecs({ flags, operands }: Place): string[] {
  const specs = flags.map((flag) => {
    const { value, help, repeats } = flag;
    const words = flagWords(flag);
    const spellings = spellingsOf(flag);
    const meaning = `[${help.replace(/[[\]\\]/g, "\\$&")}]`;
    const action = words.length > 0 ? `(${words.join(" ").replaceAll("|", "\\|")})` : isFile(value) ? "_files" : " ";
    const argument = value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:${action}`;
    const others = repeats ? "*" : `(${spellings.join(" ")})`;
    const spelling = spellings.length === 1 ? spellings[0]! : `'{${spellings.join(",")}}'`;
    return quoted(`${others}\u0000${meaning}${argument}`).replace("\u0000", () => spelling);
  });
  const own = wordsOf(operands);
  if (own.length > 0) specs.push(quoted(`:${operands}:(${own.join(" ")})`));
  else if (isFile(operands)) specs.push(quoted("*:file:_files"));
  return specs;
}
