# Runs workflow/Snakefile as a module; an include alone would leave nothing to do.
configfile: "config/config.yaml"


module grubio:
    snakefile:
        "workflow/Snakefile"
    config:
        config


use rule * from grubio
