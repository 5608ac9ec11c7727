using System.CommandLine;
using AiOptix.Bench;

var root = new RootCommand("Compares AI Optix with other engines.") { OrtSmoke.Command() };
return root.Parse(args).Invoke();
