# Runs workflow/Snakefile as a module; an include alone would leave nothing to do.
# A study given with --configfile takes the place of the default one, not its side.
if "datasets" not in config:

    configfile: "config/config.yaml"


module grubio:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from grubio
