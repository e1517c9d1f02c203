"""From proteins to profiles, by a search for their homologs.

results/datasets/<dataset>/profiles/    a file of profiles for each part, and profiled.parquet
results/profiles/<input>/               a file of profiles for each part of an input

An interrupted job leaves its finished batches, which are not outputs, and resumes from them.
"""


rule search_dataset:
    """Search for the homologs of a part of the records of a dataset."""
    input:
        sequences="results/datasets/{dataset}/prepared.parquet",
        database=DATABASE_FILES,
    output:
        "results/datasets/{dataset}/profiles/{part}-of-{parts}.npz",
    log:
        "logs/profiles/datasets/{dataset}/{part}-of-{parts}.log",
    benchmark:
        "results/benchmarks/profiles/datasets/{dataset}/{part}-of-{parts}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=growing(720),
    params:
        database=DATABASE,
        settings=SEARCH_OPTIONS,
        version=VERSION,
    shell:
        """
        grubio profile {input.sequences:q} \
            --database {params.database:q} \
            --part {wildcards.part}/{wildcards.parts} \
            --output {output:q} \
            {params.settings} \
            --threads {threads} \
            --log {log:q}
        """


rule add_profiles:
    """Write a dataset with the profiles of its records."""
    input:
        dataset="results/datasets/{dataset}/prepared.parquet",
        profiles=lambda wildcards: profile_parts(
            f"results/datasets/{wildcards.dataset}/profiles"
        ),
    output:
        "results/datasets/{dataset}/profiled.parquet",
    log:
        "logs/profiles/datasets/{dataset}.log",
    conda:
        "../envs/grubio.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        alignments=lambda wildcards, input: option("--alignments", input.profiles),
        version=VERSION,
    shell:
        """
        grubio profile {input.dataset:q} {params.alignments} \
            --output {output:q} \
            --log {log:q}
        """


rule search_input:
    """Search for the homologs of a part of the sequences of an input."""
    input:
        sequences=lambda wildcards: INPUTS[wildcards.input],
        database=DATABASE_FILES,
    output:
        "results/profiles/{input}/{part}-of-{parts}.npz",
    log:
        "logs/profiles/{input}/{part}-of-{parts}.log",
    benchmark:
        "results/benchmarks/profiles/{input}/{part}-of-{parts}.tsv"
    conda:
        "../envs/grubio.yaml"
    threads: 8
    resources:
        mem_mb=growing(16000),
        runtime=growing(720),
    params:
        database=DATABASE,
        settings=SEARCH_OPTIONS,
        on_invalid=STUDY.prediction.on_invalid,
        version=VERSION,
    shell:
        """
        grubio profile {input.sequences:q} \
            --database {params.database:q} \
            --part {wildcards.part}/{wildcards.parts} \
            --output {output:q} \
            {params.settings} \
            --on-invalid {params.on_invalid} \
            --threads {threads} \
            --log {log:q}
        """
