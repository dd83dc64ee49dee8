"""Where things are and what may be used: from `CLEARGROUND_…` variables, and the archive's from Creodias' own names."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from containers.base.storage import SCHEME, Endpoint, endpoint_url
from tasks import checkout


class Settings(BaseSettings):
    """One machine's settings. Each field is read from `CLEARGROUND_<NAME>`; the archive's from the AWS variables."""

    model_config = SettingsConfigDict(env_prefix="CLEARGROUND_", frozen=True, extra="ignore", populate_by_name=True)

    store: str = Field(
        default=str(checkout.STATE / "store"), description="Artifact store: a folder or s3://bucket/prefix"
    )
    scratch: Path = Field(
        default=checkout.STATE / "scratch", description="Folder for temporary files and staged inputs"
    )
    runner: Literal["auto", "docker", "local"] = Field(
        default="auto", description="How steps run; auto: docker where an engine answers, else local"
    )

    staged_days: float = Field(
        default=7, ge=0, description="Days after which unused local copies of an S3 store's files are removed"
    )

    registry: str = Field(default="", description="Registry that images are pulled from; empty: only local images")
    image_tag: str = Field(default="local", description="Tag of the images clearground/<image>")
    step_network: str = Field(default="bridge", description="Docker network of the steps that read the archive")
    gpu: bool = Field(default=False, description="Give steps that can use a GPU all GPUs of the machine")
    memory_mb: int = Field(default=0, ge=0, description="Upper bound of a step's memory limit in MiB; 0: none")
    parallel_steps: int = Field(
        default=0, ge=0, description="Steps of one run at a time; 0: one per core, at least two"
    )
    cpus: float = Field(default=0, ge=0, description="Upper bound of a step's cores; 0: those of the machine")

    archive_limit_name: str = Field(default="eodata", description="Prefect's global concurrency limit of the archive")
    archive_connections: int = Field(
        default=4, ge=1, description="Connections to the archive at once, over all workers"
    )
    catalogue: str = Field(
        default="https://stac.dataspace.copernicus.eu/v1",
        description="Address of the STAC catalogue, or an item collection",
    )

    archive_host: str = Field(default="", validation_alias=AliasChoices("AWS_S3_ENDPOINT"))
    archive_https: bool = Field(default=True, validation_alias=AliasChoices("AWS_HTTPS"))
    archive_virtual_hosting: bool = Field(default=False, validation_alias=AliasChoices("AWS_VIRTUAL_HOSTING"))
    archive_region: str = Field(default="default", validation_alias=AliasChoices("AWS_DEFAULT_REGION"))
    archive_key_id: str = Field(default="", validation_alias=AliasChoices("AWS_ACCESS_KEY_ID"))
    archive_secret: SecretStr = Field(default=SecretStr(""), validation_alias=AliasChoices("AWS_SECRET_ACCESS_KEY"))

    store_host: str = Field(default="", description="Endpoint of an S3 store; empty: the archive's")
    store_https: bool = True
    store_region: str = "default"
    store_key_id: str = Field(default="", description="Access key of an S3 store; empty: the archive's")
    store_secret: SecretStr = SecretStr("")

    @property
    def store_is_bucket(self) -> bool:
        return self.store.startswith(SCHEME)

    @property
    def archive(self) -> Endpoint:
        """The archive, with its keys."""
        return Endpoint(
            url=endpoint_url(self.archive_host, https=self.archive_https),
            virtual_hosting=self.archive_virtual_hosting,
            region=self.archive_region,
            access_key_id=self.archive_key_id or None,
            secret_access_key=self.archive_secret.get_secret_value() or None,
        )

    @property
    def store_endpoint(self) -> Endpoint:
        """The service that holds an S3 store: its own where one is named, else the archive's."""
        own_keys = bool(self.store_key_id)
        return Endpoint(
            url=endpoint_url(self.store_host, https=self.store_https) if self.store_host else self.archive.url,
            virtual_hosting=self.archive_virtual_hosting,
            region=self.store_region if self.store_host else self.archive_region,
            access_key_id=self.store_key_id if own_keys else self.archive.access_key_id,
            secret_access_key=self.store_secret.get_secret_value() if own_keys else self.archive.secret_access_key,
        )


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """This process's settings, read once; `get_settings.cache_clear()` reads them again."""
    return Settings()
